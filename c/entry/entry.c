/* First code of the grafted executable: runs after ld.so and before Deno, without a C library.
 * It records what the caller gave us, opens the payloads as memfds, and hands Deno an argument
 * block of our making; the user's own arguments and environment stay readable in /proc/self. */
#include <fcntl.h>
#include <linux/memfd.h>

#include "kernel.h"
#include "payload.h"
#include "start.h"

/* Our descriptors lie above those that people count on. */
#define FIRST_DESCRIPTOR 100

__attribute__((section(".graft"), used, visibility("hidden")))
const volatile struct graft_header graft = {.magic = GRAFT_MAGIC};

static int write_all(int fd, const char *bytes, uint64_t length)
{
    while (length > 0) {
        long n = SYS3(SYS_write, fd, bytes, length);
        if (n <= 0)
            return -1;
        bytes += n;
        length -= (uint64_t)n;
    }
    return 0;
}

/* BYTES as a memfd, at a high descriptor if the limits allow one. */
static int open_bytes(const char *argv0, const char *bytes, uint64_t length)
{
    long low = SYS2(SYS_memfd_create, "ch", MFD_CLOEXEC);
    long high;

    if (low < 0 || write_all((int)low, bytes, length) < 0)
        FAIL(argv0, "can't open an in-memory file (memfd_create(2), ulimit -n, free memory)");
    high = SYS3(SYS_fcntl, low, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);
    if (high < 0)
        return (int)low;
    SYS1(SYS_close, low);
    return (int)high;
}

/* The segment is more than its header; the compiler must not conclude otherwise. */
static const char *segment(void)
{
    const char *start = (const char *)&graft;

    __asm__("" : "+r"(start));
    return start;
}

static const struct payload *payload_table(void)
{
    return (const void *)(segment() + graft.payload_table);
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

/* The tool's script: by the name we are called by, else ("ch run") by the first word. The same rule
 * as in cli/main.ts, which has only this tool's code. */
static const struct payload *find_script(int argc, char **argv)
{
    const struct payload *payload = payload_table();
    const struct payload *by_word = NULL;

    for (uint32_t i = 1; i < graft.payload_count; i++) {
        if (payload[i].kind != PAYLOAD_SCRIPT)
            continue;
        if (argc > 0 && equal(payload[i].name, last_component(argv[0])))
            return &payload[i];
        if (argc > 1 && (equal(payload[i].name, argv[1]) ||
                         equal(payload[i].name + sizeof("ch-") - 1, argv[1])))
            by_word = &payload[i];
    }
    return by_word != NULL ? by_word : &payload[0];
}

static const struct payload *find_payload(enum payload_kind kind)
{
    const struct payload *payload = payload_table();

    while (payload->kind != kind)
        payload++;
    return payload;
}

static int open_payload(const char *argv0, const struct payload *payload)
{
    return open_bytes(argv0, segment() + payload->offset, payload->length);
}

/* NAME and the path of a descriptor; returns where the next string can go. */
static char *append_descriptor(char *at, const char *name, int fd)
{
    return append_number(append(append(at, name), "/proc/self/fd/"), (unsigned long)fd) + 1;
}

/* NAME and where in the executable a payload lies: OFFSET,LENGTH. */
static char *append_place(char *at, const char *name, const struct payload *payload)
{
    at = append_number(append(at, name), graft.file_offset + payload->offset);
    return append_number(append(at, ","), payload->length) + 1;
}

static const char fixed_environment[][40] = {
    "DENO_DIR=/dev/null/none",              /* cannot exist, so nothing is cached or written */
    "DENO_LOG=error,deno::cache=off",       /* ... which it would complain about on a terminal */
    "DENO_NO_UPDATE_CHECK=1", "HOME=/proc", /* exists, and cannot have an .npmrc */
};
#define FIXED_ENVIRONMENT ((int)(sizeof(fixed_environment) / sizeof(fixed_environment[0])))
/* ... and CH_SCRIPT, CH_MAP, CH_SHIM, CH_CALLER. */
#define OUR_ENVIRONMENT (FIXED_ENVIRONMENT + 4)

/* Deno's arguments; the script follows. */
static const char fixed_words[][32] = {
    "run",
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    "--no-prompt",
    "--quiet",
    "--no-code-cache",
    "-A",
    "--ext=js",
    "--v8-flags=--single-threaded",
};
#define FIXED_WORDS ((int)(sizeof(fixed_words) / sizeof(fixed_words[0])))

/* The new block, directly below the old one: argc, argv, and an empty environment and auxv, because
 * libc has taken those from the old one. Returns its address, the new stack pointer. */
__attribute__((used, visibility("hidden"))) unsigned long *entry_prepare(unsigned long *old)
{
    int argc = (int)old[0];
    char **argv = (char **)(old + 1);
    struct ch_caller caller = {0};
    const char *argv0 = argc > 0 ? argv[0] : NULL;
    char *ours[OUR_ENVIRONMENT];
    const struct payload *init = find_payload(PAYLOAD_INIT);
    const struct payload *script = find_script(argc, argv);

    refuse_privilege(argv0);
    record_caller(&caller);
    raise_limits(argv0, &caller);
    leave_removed_directory();
    caller.init_offset = graft.file_offset + init->offset;
    caller.init_length = init->length;

    char *at_text = (char *)old - 256; /* our strings lie between the blocks */
    char *loader = at_text;
    at_text = append_descriptor(loader, "", open_payload(argv0, find_payload(PAYLOAD_LOADER)));
    for (int i = 0; i < FIXED_ENVIRONMENT; i++)
        ours[i] = (char *)fixed_environment[i];
    char **next = ours + FIXED_ENVIRONMENT;
    *next++ = at_text;
    at_text = append_descriptor(at_text, "CH_SCRIPT=", open_payload(argv0, script));
    *next++ = at_text;
    at_text = append_place(at_text, "CH_MAP=", script + 1);
    *next++ = at_text;
    at_text =
        append_descriptor(at_text, "CH_SHIM=", open_payload(argv0, find_payload(PAYLOAD_SHIM)));
    *next++ = at_text;
    append_number(append(at_text, "CH_CALLER="),
                  (unsigned long)open_bytes(argv0, (const char *)&caller, sizeof(caller)));
    set_environment(argv + argc + 1, ours, OUR_ENVIRONMENT);

    int deno_argc = 1 + FIXED_WORDS + 1;
    int words = 1 + deno_argc + 1 + 1 + 2;
    unsigned long *block = (unsigned long *)loader - words;
    block = (unsigned long *)((unsigned long)block & ~15ul);
    unsigned long *at = block;
    *at++ = (unsigned long)deno_argc;
    *at++ = (unsigned long)(argv0 == NULL ? "ch" : argv0);
    for (int i = 0; i < FIXED_WORDS; i++)
        *at++ = (unsigned long)fixed_words[i];
    *at++ = (unsigned long)loader;
    for (int i = 0; i < 4; i++)
        *at++ = 0;
    return block;
}
