/* First code of the grafted executable: runs after ld.so and before Deno, without a C library.
 * It records what the caller gave us, opens the payloads as memfds, and hands Deno an argument
 * block of our making; the user's own arguments and environment stay readable in /proc/self. */
#include <elf.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "../caller.h"
#include "payload.h"

#ifdef __x86_64__
#include "arch_x86_64.h"
#else
#error "no entry code for this architecture"
#endif

#define STATUS_FAIL 31
#define SIGNAL_COUNT 64
/* V8 reserves 48 GiB of address space at start (it does not use them); the rest is for heap,
 * threads and libraries. */
#define ADDRESS_SPACE_NEEDED (56ull << 30)
/* Our descriptors lie above those that people count on. */
#define FIRST_DESCRIPTOR 100

__attribute__((section(".graft"), used, visibility("hidden")))
const volatile struct graft_header graft = {.magic = GRAFT_MAGIC};

/* The kernel's, whatever the C library's feature macros say. */
struct limit64 {
    uint64_t soft;
    uint64_t hard;
};

#define SYS0(n) arch_syscall((n), 0, 0, 0, 0, 0, 0)
#define SYS1(n, a) arch_syscall((n), (long)(a), 0, 0, 0, 0, 0)
#define SYS2(n, a, b) arch_syscall((n), (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(n, a, b, c) arch_syscall((n), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(n, a, b, c, d) arch_syscall((n), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/* The compiler calls these by itself. */
__attribute__((visibility("hidden"))) void *memset(void *to, int value, size_t length)
{
    char *p = to;
    while (length-- > 0)
        *p++ = (char)value;
    return to;
}

__attribute__((visibility("hidden"))) void *memcpy(void *to, const void *from, size_t length)
{
    char *p = to;
    const char *q = from;
    while (length-- > 0)
        *p++ = *q++;
    return to;
}

static size_t text_length(const char *text)
{
    size_t n = 0;
    while (text[n] != '\0')
        n++;
    return n;
}

static char *append(char *at, const char *text)
{
    while (*text != '\0')
        *at++ = *text++;
    *at = '\0';
    return at;
}

static char *append_number(char *at, unsigned long value)
{
    char digits[24];
    int n = 0;
    do
        digits[n++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    while (n > 0)
        *at++ = digits[--n];
    *at = '\0';
    return at;
}

/* In ch-run's message format, because there is no one else yet to print it. */
__attribute__((noreturn, noinline)) static void fail(const char *argv0, const char *text, int line)
{
    char message[1024];
    char *at = message;
    const char *name = argv0 == NULL ? "ch" : argv0;

    for (const char *p = name; *p != '\0'; p++)
        if (*p == '/' && p[1] != '\0')
            name = p + 1;
    if (text_length(name) > 255)
        name = "ch";
    at = append(at, name);
    at = append(at, "[");
    at = append_number(at, (unsigned long)SYS0(SYS_getpid));
    at = append(at, "]: error: ");
    at = append(at, text);
    at = append(at, " (entry.c:");
    at = append_number(at, (unsigned long)line);
    at = append(at, ")\n");
    SYS3(SYS_write, 2, message, at - message);
    for (;;)
        SYS1(SYS_exit_group, STATUS_FAIL);
}
#define FAIL(argv0, text) fail((argv0), (text), __LINE__)

static void refuse_privilege(const char *argv0)
{
    unsigned int u[3], g[3];

    SYS3(SYS_getresuid, &u[0], &u[1], &u[2]);
    SYS3(SYS_getresgid, &g[0], &g[1], &g[2]);
    if (u[0] != u[1] || u[1] != u[2] || g[0] != g[1] || g[1] != g[2])
        FAIL(argv0, "please report this bug");
}

/* Deno does not start in a directory that has been removed; nothing relative could be found there
 * anyway, and the container begins in a directory of its own. */
static void leave_removed_directory(void)
{
    char path[4096];

    if (SYS2(SYS_getcwd, path, sizeof(path)) < 0 || path[0] != '/')
        SYS1(SYS_chdir, "/");
}

/* The layout of the kernel's sigaction: handler comes first everywhere. */
static uint64_t ignored_signals(void)
{
    uint64_t ignored = 0;
    for (int signal = 1; signal <= SIGNAL_COUNT; signal++) {
        unsigned long action[8] = {0};
        if (SYS4(SYS_rt_sigaction, signal, NULL, action, 8) == 0 && action[0] == (long)SIG_IGN)
            ignored |= 1ull << (signal - 1);
    }
    return ignored;
}

static void record(struct ch_caller *caller)
{
    struct limit64 limit;

    caller->magic = CALLER_MAGIC;
    SYS4(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &caller->signals_masked, 8);
    caller->signals_ignored = ignored_signals();
    SYS4(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
    caller->nofile_soft = limit.soft;
    caller->nofile_hard = limit.hard;
    SYS4(SYS_prlimit64, 0, RLIMIT_AS, NULL, &limit);
    caller->as_soft = limit.soft;
    caller->as_hard = limit.hard;
    for (int fd = 0; fd < 3; fd++) {
        long flags = SYS3(SYS_fcntl, fd, F_GETFL, 0);
        caller->stdio_flags[fd] = flags < 0 ? -1 : (int32_t)flags;
    }
}

static void raise_limits(const char *argv0, const struct ch_caller *caller)
{
    struct limit64 limit = {.soft = caller->as_hard, .hard = caller->as_hard};

    if (caller->as_hard < ADDRESS_SPACE_NEEDED)
        FAIL(argv0, "hard limit on address space (ulimit -Hv) is below 56 GiB, which this program "
                    "reserves without using it; ask for \"unlimited\"");
    if (caller->as_soft != caller->as_hard)
        SYS4(SYS_prlimit64, 0, RLIMIT_AS, &limit, NULL);
    limit.soft = limit.hard = caller->nofile_hard;
    if (caller->nofile_soft != caller->nofile_hard)
        SYS4(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL);
}

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

/* What Deno may see of the user's environment: it obeys DENO_*, NODE_*, HOME and more, so only what
 * network access and local time need is let through. */
static int is_for_deno(const char *entry)
{
    static const char allowed[][16] = {
        "TZ=",        "HTTP_PROXY=", "http_proxy=", "HTTPS_PROXY=", "https_proxy=",
        "ALL_PROXY=", "all_proxy=",  "NO_PROXY=",   "no_proxy=",    "",
    };
    for (int i = 0; allowed[i][0] != '\0'; i++) {
        int k = 0;
        while (allowed[i][k] != '\0' && allowed[i][k] == entry[k])
            k++;
        if (allowed[i][k] == '\0')
            return 1;
    }
    return 0;
}

static const char fixed_environment[][40] = {
    "DENO_DIR=/dev/null/none",              /* cannot exist, so nothing is cached or written */
    "DENO_NO_UPDATE_CHECK=1", "HOME=/proc", /* exists, and cannot have an .npmrc */
};
#define FIXED_ENVIRONMENT ((int)(sizeof(fixed_environment) / sizeof(fixed_environment[0])))
#define OUR_ENVIRONMENT (FIXED_ENVIRONMENT + 3)

/* Entries of auxv that only ld.so reads, and it is done. */
static int is_spent(unsigned long type)
{
    return type == AT_BASE || type == AT_FLAGS || type == AT_ENTRY || type == AT_EXECFN;
}

/* Save the pairs that the environment grows over, in the place of spent ones further on. */
static void move_pairs(unsigned long *auxv, int words)
{
    unsigned long *spent = auxv + words;

    for (int i = 0; i < words; i += 2) {
        while (spent[0] != AT_NULL && !is_spent(spent[0]))
            spent += 2;
        if (spent[0] == AT_NULL)
            return;
        spent[0] = auxv[i];
        spent[1] = auxv[i + 1];
    }
}

/* libc knows the list of the environment already, so it is changed in place; the strings, and with
 * them /proc/self/environ, stay. Where the caller's list is shorter than ours it grows over the
 * first pairs of auxv. libc looks values up there by type: its end (NULL) must not fall on a type,
 * or it would look like auxv's own end. */
static void set_environment(char **env, char **ours)
{
    int length = 0, kept = 0, extra;

    while (env[length] != NULL)
        length++;
    for (int i = 0; i < length; i++)
        if (is_for_deno(env[i]))
            env[kept++] = env[i];
    extra = kept + OUR_ENVIRONMENT - length;
    if (extra > 0) {
        extra += extra % 2;
        move_pairs((unsigned long *)(env + length + 1), extra);
    }
    for (int i = 0; i < OUR_ENVIRONMENT; i++)
        env[kept++] = ours[i];
    while (kept < length + extra)
        env[kept++] = (char *)"CH_FILLER=";
    env[kept] = NULL;
}

/* Deno's arguments; the script follows. */
static const char fixed_words[][24] = {
    "run",         "--no-config", "--no-lock",       "--no-remote", "--no-npm",
    "--no-prompt", "--quiet",     "--no-code-cache", "-A",          "--ext=js",
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

    refuse_privilege(argv0);
    record(&caller);
    raise_limits(argv0, &caller);
    leave_removed_directory();
    caller.init_offset = graft.file_offset + init->offset;
    caller.init_length = init->length;

    char *at_text = (char *)old - 256; /* our strings lie between the blocks */
    char *loader = at_text;
    at_text = append_descriptor(loader, "", open_payload(argv0, find_payload(PAYLOAD_LOADER)));
    for (int i = 0; i < FIXED_ENVIRONMENT; i++)
        ours[i] = (char *)fixed_environment[i];
    ours[FIXED_ENVIRONMENT] = at_text;
    at_text =
        append_descriptor(at_text, "CH_SCRIPT=", open_payload(argv0, find_script(argc, argv)));
    ours[FIXED_ENVIRONMENT + 1] = at_text;
    at_text =
        append_descriptor(at_text, "CH_SHIM=", open_payload(argv0, find_payload(PAYLOAD_SHIM)));
    ours[FIXED_ENVIRONMENT + 2] = at_text;
    append_number(append(at_text, "CH_CALLER="),
                  (unsigned long)open_bytes(argv0, (const char *)&caller, sizeof(caller)));
    set_environment(argv + argc + 1, ours);

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
