/* First code of the grafted executable: runs after ld.so and before Deno, without a C library.
 * It records what the caller gave us, opens the payloads as memfds, and hands Deno an argument block
 * of our making; the user's own arguments and environment stay readable in /proc/self. */
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
/* V8 reserves this much address space at start (it does not use it). */
#define ADDRESS_SPACE_NEEDED (64ull << 30)
/* Script references in the bundle are three digits wide. */
#define FIRST_DESCRIPTOR 100
#define LAST_DESCRIPTOR 999
#define MAX_SCRIPTS 128

__attribute__((section(".graft"), used, visibility("hidden"))) const volatile struct graft_header
    graft = {.magic = GRAFT_MAGIC};

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
        FAIL(argv0, "hard limit on address space (ulimit -Hv) is below 64 GiB, which this program "
                    "reserves without using it; ask for \"unlimited\"");
    if (caller->as_soft != caller->as_hard)
        SYS4(SYS_prlimit64, 0, RLIMIT_AS, &limit, NULL);
    limit.soft = limit.hard = caller->nofile_hard;
    if (caller->nofile_soft != caller->nofile_hard)
        SYS4(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL);
}

/* The lowest run of COUNT free descriptors with three digits. */
static int find_descriptors(int count)
{
    int run = 0;
    for (int fd = FIRST_DESCRIPTOR; fd <= LAST_DESCRIPTOR; fd++) {
        run = SYS3(SYS_fcntl, fd, F_GETFD, 0) < 0 ? run + 1 : 0;
        if (run == count)
            return fd - count + 1;
    }
    return -1;
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

/* BYTES as a memfd at descriptor TARGET. */
static int open_bytes(int target, const char *bytes, uint64_t length)
{
    long fd = SYS2(SYS_memfd_create, "ch", MFD_CLOEXEC);
    if (fd < 0 || write_all((int)fd, bytes, length) < 0)
        return -1;
    if (SYS3(SYS_dup3, fd, target, O_CLOEXEC) < 0)
        return -1;
    SYS1(SYS_close, fd);
    return 0;
}

static void patch_script(int fd, const struct payload *payload, const char *base, int first)
{
    const struct payload_patch *patch = (const void *)(base + payload->patch_offset);

    for (uint32_t i = 0; i < payload->patch_count; i++) {
        int number = first + (int)patch[i].script;
        char digits[3] = {(char)('0' + number / 100), (char)('0' + number / 10 % 10),
                          (char)('0' + number % 10)};
        SYS4(SYS_pwrite64, fd, digits, 3, patch[i].at);
    }
}

/* Opens scripts at FIRST, FIRST+1, ..., then the shim, then CALLER. Returns the number of scripts. */
static int open_payloads(const char *argv0, struct ch_caller *caller, int *first)
{
    const char *base = (const char *)&graft;
    const struct payload *payload = (const void *)(base + graft.payload_table);
    int count = (int)graft.payload_count;
    int scripts = 0;

    *first = find_descriptors(count + 1);
    if (*first < 0)
        FAIL(argv0, "no free descriptors between 100 and 999; close some or raise ulimit -n");
    for (int i = 0; i < count; i++) {
        if (payload[i].kind == PAYLOAD_INIT) {
            caller->init_offset = graft.file_offset + payload[i].offset;
            caller->init_length = payload[i].length;
            continue;
        }
        if (open_bytes(*first + i, base + payload[i].offset, payload[i].length) < 0)
            FAIL(argv0, "can't open an in-memory file (memfd_create(2), ulimit -n, free memory)");
        if (payload[i].kind == PAYLOAD_SCRIPT) {
            patch_script(*first + i, &payload[i], base, *first);
            scripts++;
        }
    }
    if (open_bytes(*first + count, (const char *)caller, sizeof(*caller)) < 0)
        FAIL(argv0, "can't open an in-memory file (memfd_create(2), ulimit -n, free memory)");
    return scripts;
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

/* The new block: argc, argv, NULL, environment, NULL, auxv. WORDS are fixed; they and the strings
 * lie on the old stack's lower end, where Deno never looks but through these pointers. */
static const char fixed_words[][24] = {
    "run",         "--no-config", "--no-lock",       "--no-remote", "--no-npm",
    "--no-prompt", "--quiet",     "--no-code-cache", "-A",          "--ext=js",
};
#define FIXED_WORDS ((int)(sizeof(fixed_words) / sizeof(fixed_words[0])))

static const char fixed_environment[][40] = {
    "DENO_DIR=/dev/null/none", /* cannot exist, so nothing is cached or written */
    "DENO_NO_UPDATE_CHECK=1",
    "HOME=/",
};
#define FIXED_ENVIRONMENT ((int)(sizeof(fixed_environment) / sizeof(fixed_environment[0])))

__attribute__((used, visibility("hidden"))) unsigned long *entry_prepare(unsigned long *old)
{
    int argc = (int)old[0];
    char **argv = (char **)(old + 1);
    char **env = argv + argc + 1;
    unsigned long *auxv;
    struct ch_caller caller = {0};
    int first, scripts, env_count = 0, auxv_words = 0;
    const char *argv0 = argc > 0 ? argv[0] : NULL;

    refuse_privilege(argv0);
    record(&caller);
    raise_limits(argv0, &caller);
    scripts = open_payloads(argv0, &caller, &first);

    char **e = env;
    for (; *e != NULL; e++)
        env_count += is_for_deno(*e);
    auxv = (unsigned long *)(e + 1);
    while (auxv[auxv_words] != 0)
        auxv_words += 2;
    auxv_words += 2;

    /* Strings first, at the top, then the block below them; all of it stays below OLD. */
    char *strings = (char *)old - 256;
    char *script = strings;
    char *shim = append_number(append(script, "/proc/self/fd/"), (unsigned long)first) + 1;
    char *state = append_number(append(shim, "CH_SHIM=/proc/self/fd/"),
                                (unsigned long)(first + scripts)) +
                  1;
    append_number(append(state, "CH_CALLER="), (unsigned long)first + graft.payload_count);

    int deno_argc = 1 + FIXED_WORDS + 1;
    int words = 1 + deno_argc + 1 + FIXED_ENVIRONMENT + 2 + env_count + 1 + auxv_words;
    if ((unsigned long)words * 8 + 512 > ARCH_BLOCK_SPACE / 2)
        FAIL(argv0, "please report this bug");
    unsigned long *block = (unsigned long *)strings - words;
    block = (unsigned long *)((unsigned long)block & ~15ul);

    unsigned long *at = block;
    *at++ = (unsigned long)deno_argc;
    *at++ = (unsigned long)(argv0 == NULL ? "ch" : argv0);
    for (int i = 0; i < FIXED_WORDS; i++)
        *at++ = (unsigned long)fixed_words[i];
    *at++ = (unsigned long)script;
    *at++ = 0;
    for (int i = 0; i < FIXED_ENVIRONMENT; i++)
        *at++ = (unsigned long)fixed_environment[i];
    *at++ = (unsigned long)shim;
    *at++ = (unsigned long)state;
    for (char **entry = env; *entry != NULL; entry++)
        if (is_for_deno(*entry))
            *at++ = (unsigned long)*entry;
    *at++ = 0;
    for (int i = 0; i < auxv_words; i++)
        *at++ = auxv[i];
    return block;
}
