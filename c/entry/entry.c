/* First code of the executable: runs where the kernel starts it, before any library. It goes on as
 * one of two programs that the file holds: init (c/init), a static program that does all of ch-run
 * by itself, or Deno, which runs the other tools. */
#include <elf.h>

#include "kernel.h"
#include "start.h"

__attribute__((section(".graft"), used, visibility("hidden")))
const volatile struct graft_header graft = {.magic = GRAFT_MAGIC};

/* The segment is more than its header; the compiler must not conclude otherwise. */
const struct graft_header *graft_start(void)
{
    const struct graft_header *start = (const struct graft_header *)&graft;

    __asm__("" : "+r"(start));
    return start;
}

static int equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b)
        a++, b++;
    return *a == *b;
}

static const char *last_component(const char *path)
{
    const char *name = path;
    for (; *path != '\0'; path++)
        if (*path == '/')
            name = path + 1;
    return name;
}

static int is_named(const struct given *given, const char *name)
{
    return given->argc > 0 && equal(name, last_component(given->argv[0]));
}

/* Whether the first word names TOOL, with or without "ch-". */
static int has_word(const struct given *given, const char *tool)
{
    return given->argc > 1 &&
           (equal(tool, given->argv[1]) || equal(tool + sizeof("ch-") - 1, given->argv[1]));
}

static const struct payload *default_script(void)
{
    return graft_at(graft_start()->payload_table);
}

/* The tool's script: by the name we are called by, else ("ch image") by the first word. The same
 * rule as in cli/main.ts, which has only this tool's code. NULL if
 * it is none of those that Deno runs. */
static const struct payload *find_script(const struct given *given)
{
    const struct payload *payload = default_script();
    const struct payload *by_word = NULL;

    for (uint32_t i = 1; i < graft_start()->payload_count; i++) {
        if (payload[i].kind != PAYLOAD_SCRIPT)
            continue;
        if (is_named(given, payload[i].name))
            return &payload[i];
        if (has_word(given, payload[i].name))
            by_word = &payload[i];
    }
    return by_word;
}

/* "ch-image build", with nothing before the sub-command, has less to read if that has a script of
 * its own: V8 looks through all that it is given. */
static const struct payload *find_part(const struct given *given, const struct payload *tool)
{
    int at = is_named(given, tool->name) ? 1 : 2;

    for (uint32_t i = 1; at < given->argc && i < graft_start()->payload_count; i++) {
        const struct payload *part = default_script() + i;
        const char *name = part->name, *prefix = tool->name;
        if (part->kind != PAYLOAD_PART)
            continue;
        while (*prefix != '\0' && *name == *prefix)
            name++, prefix++;
        if (*prefix == '\0' && *name == '.' && equal(name + 1, given->argv[at]))
            return part;
    }
    return tool;
}

static void set_pair(unsigned long *auxv, unsigned long type, unsigned long value)
{
    for (; auxv[0] != AT_NULL; auxv += 2)
        if (auxv[0] == type)
            auxv[1] = value;
}

/* Init finds arguments and environment as the kernel laid them out. */
static struct start start_init(const struct given *given)
{
    const struct graft_header *header = graft_start();
    uintptr_t base = (uintptr_t)graft_at((uint64_t)header->init.base);

    set_pair(given->auxv, AT_PHDR, base + header->init_headers);
    set_pair(given->auxv, AT_PHNUM, header->init_header_count);
    set_pair(given->auxv, AT_ENTRY, base + header->init.entry);
    return (struct start){.stack = given->stack, .code = base + header->init.entry};
}

__attribute__((used, visibility("hidden"))) struct start entry_prepare(unsigned long *stack)
{
    struct given given = {.stack = stack, .argc = (int)stack[0], .argv = (char **)(stack + 1)};
    const struct payload *script;

    given.env = given.argv + given.argc + 1;
    given.auxv = (unsigned long *)given.env;
    while (*given.auxv++ != 0)
        ;
    refuse_privilege(given.argv[0]);
    if (is_named(&given, "ch-init") || is_named(&given, "ch-run"))
        return start_init(&given);
    script = find_script(&given);
    if (script == NULL && has_word(&given, "ch-run"))
        return start_init(&given);
    return start_deno(&given, script != NULL ? find_part(&given, script) : default_script());
}
