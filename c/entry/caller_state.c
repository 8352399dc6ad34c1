/* What the caller gave us: checked, and adapted to what Deno needs. */
#include <sys/resource.h>

#include "kernel.h"
#include "start.h"

/* V8 reserves 48 GiB of address space at start (it does not use them); the rest is for heap,
 * threads and libraries. */
#define ADDRESS_SPACE_NEEDED (56ull << 30)

void refuse_privilege(const char *argv0)
{
    unsigned int u[3], g[3];

    SYS3(SYS_getresuid, &u[0], &u[1], &u[2]);
    SYS3(SYS_getresgid, &g[0], &g[1], &g[2]);
    if (u[0] != u[1] || u[1] != u[2] || g[0] != g[1] || g[1] != g[2])
        FAIL(argv0, "please report this bug");
}

/* Deno does not start in a directory that has been removed; nothing relative could be found there
 * anyway, and the container begins in a directory of its own. */
void leave_removed_directory(void)
{
    char path[4096];

    if (SYS2(SYS_getcwd, path, sizeof(path)) < 0 || path[0] != '/')
        SYS1(SYS_chdir, "/");
}

void raise_limits(const char *argv0, const struct ch_caller *caller)
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
