/* Deno as the program to go on as: the payloads become memfds, and Deno gets an argument block of
 * our making; the user's own arguments and environment stay readable in /proc/self. */
#include <elf.h>
#include <fcntl.h>
#include <linux/memfd.h>

#include "kernel.h"
#include "start.h"

/* Our descriptors lie above those that people count on. */
#define FIRST_DESCRIPTOR 100

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
static int open_bytes(const char *argv0, const void *bytes, uint64_t length)
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

static const struct payload *find_payload(enum payload_kind kind)
{
    const struct payload *payload = graft_at(graft_start()->payload_table);

    while (payload->kind != kind)
        payload++;
    return payload;
}

static int open_payload(const char *argv0, const struct payload *payload)
{
    return open_bytes(argv0, graft_at(payload->offset), payload->length);
}

/* NAME and the path of a descriptor; returns where the next string can go. */
static char *append_descriptor(char *at, const char *name, int fd)
{
    return append_number(append(append(at, name), "/proc/self/fd/"), (unsigned long)fd) + 1;
}

/* NAME and where in the executable a payload lies: OFFSET,LENGTH. */
static char *append_place(char *at, const char *name, const struct payload *payload)
{
    at = append_number(append(at, name), graft_start()->file_offset + payload->offset);
    return append_number(append(at, ","), payload->length) + 1;
}

static const char fixed_environment[][40] = {
    "DENO_DIR=/dev/null/none",              /* cannot exist, so nothing is cached or written */
    "DENO_LOG=error,deno::cache=off",       /* ... which it would complain about on a terminal */
    "DENO_NO_UPDATE_CHECK=1", "HOME=/proc", /* exists, and cannot have an .npmrc */
};
#define FIXED_ENVIRONMENT ((int)(sizeof(fixed_environment) / sizeof(fixed_environment[0])))

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

/* Strings of our own, in the order in which Deno's block names them. */
struct texts {
    char *loader;
    char *environment[4]; /* CH_SCRIPT, CH_MAP, CH_SHIM, CH_CALLER */
};
#define OUR_ENVIRONMENT ((int)(sizeof(((struct texts *)0)->environment) / sizeof(char *)))
#define TEXTS_SIZE 512

static void write_texts(struct texts *texts, char *at, const char *argv0,
                        const struct payload *script, const struct ch_caller *caller)
{
    int fd = open_payload(argv0, find_payload(PAYLOAD_LOADER));

    texts->loader = at;
    texts->environment[0] = at = append_descriptor(at, "", fd);
    at = append_descriptor(at, "CH_SCRIPT=", open_payload(argv0, script));
    texts->environment[1] = at;
    texts->environment[2] = at = append_place(at, "CH_MAP=", script + 1);
    at = append_descriptor(at, "CH_SHIM=", open_payload(argv0, find_payload(PAYLOAD_SHIM)));
    texts->environment[3] = at;
    append_number(append(at, "CH_CALLER="),
                  (unsigned long)open_bytes(argv0, caller, sizeof(*caller)));
}

/* The kernel's list with what differs: whose headers, where they start, who links. */
static unsigned long *write_auxv(unsigned long *at, const unsigned long *from,
                                 const struct graft_header *header, uintptr_t interpreter)
{
    for (; from[0] != AT_NULL; from += 2) {
        at[0] = from[0];
        at[1] = from[0] == AT_PHDR    ? (uintptr_t)graft_at(header->deno_headers)
                : from[0] == AT_PHNUM ? header->deno_header_count
                : from[0] == AT_ENTRY
                    ? (uintptr_t)graft_at((uint64_t)header->deno.base + header->deno.entry)
                : from[0] == AT_BASE ? interpreter
                                     : from[1];
        at += 2;
    }
    *at++ = AT_NULL;
    *at++ = 0;
    return at;
}

/* Words of the block: argc, argv, environment, auxv. */
static int count_words(const struct given *given)
{
    int kept = 0, pairs = 1;

    for (char **entry = given->env; *entry != NULL; entry++)
        kept += is_for_deno(*entry);
    for (const unsigned long *pair = given->auxv; pair[0] != AT_NULL; pair += 2)
        pairs++;
    return 1 + (1 + FIXED_WORDS + 1 + 1) + (kept + FIXED_ENVIRONMENT + OUR_ENVIRONMENT + 1) +
           2 * pairs;
}

static const char *find_interpreter(const struct graft_header *header)
{
    const Elf64_Phdr *program = graft_at(header->deno_headers);

    while (program->p_type != PT_INTERP)
        program++;
    return graft_at((uint64_t)header->deno.base + program->p_vaddr);
}

struct start start_deno(const struct given *given, const struct payload *script)
{
    const struct graft_header *header = graft_start();
    const char *argv0 = given->argv[0];
    struct ch_caller caller = {0};
    struct texts texts;
    uintptr_t interpreter, code;
    int words = count_words(given);

    record_caller(&caller);
    raise_limits(argv0, &caller);
    leave_removed_directory();

    char *text = (char *)given->stack - TEXTS_SIZE;
    write_texts(&texts, text, argv0, script, &caller);
    code = load_interpreter(given, find_interpreter(header), &interpreter);

    unsigned long *block = (unsigned long *)text - words;
    block = (unsigned long *)((unsigned long)block & ~15ul);
    if ((char *)given->stack - (char *)block > START_ROOM)
        FAIL(argv0, "too many variables for time zone and proxies");
    unsigned long *at = block;
    *at++ = (unsigned long)(1 + FIXED_WORDS + 1);
    *at++ = (unsigned long)(argv0 == NULL ? "ch" : argv0);
    for (int i = 0; i < FIXED_WORDS; i++)
        *at++ = (unsigned long)fixed_words[i];
    *at++ = (unsigned long)texts.loader;
    *at++ = 0;
    for (char **entry = given->env; *entry != NULL; entry++)
        if (is_for_deno(*entry))
            *at++ = (unsigned long)*entry;
    for (int i = 0; i < FIXED_ENVIRONMENT; i++)
        *at++ = (unsigned long)fixed_environment[i];
    for (int i = 0; i < OUR_ENVIRONMENT; i++)
        *at++ = (unsigned long)texts.environment[i];
    *at++ = 0;
    write_auxv(at, given->auxv, header, interpreter);
    return (struct start){.stack = block, .code = code};
}
