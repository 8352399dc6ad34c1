/* What the caller gave us, written down. In the entry code and in init. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "kernel.h"
#include "start.h"

#define SIGNAL_COUNT 64

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

void record_caller(struct ch_caller *caller)
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
