/* See detached.h. */
#define _GNU_SOURCE
#include "detached.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Kernels before 5.9 have no close_range(2). */
static void close_one_by_one(unsigned first, unsigned last)
{
    DIR *list = opendir("/proc/self/fd");
    struct dirent *entry;

    if (list == NULL)
        return;
    while ((entry = readdir(list)) != NULL) {
        unsigned fd = (unsigned)atoi(entry->d_name);
        if (fd >= first && fd <= last && entry->d_name[0] != '.' && (int)fd != dirfd(list))
            close((int)fd);
    }
    closedir(list);
}

static void close_between(unsigned first, unsigned last)
{
    if (first <= last && close_range(first, last, 0) < 0)
        close_one_by_one(first, last);
}

/* A pipe of the caller's that we could write to would never end. */
static void close_all_but(const int *fds, int count)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    unsigned from = 3;

    for (int fd = 0; fd < 3; fd++)
        if (null < 0 || (fd != null && dup2(null, fd) < 0))
            close(fd);
    for (;;) {
        unsigned next = ~0u;
        for (int i = 0; i < count; i++)
            if ((unsigned)fds[i] >= from && (unsigned)fds[i] < next)
                next = (unsigned)fds[i];
        if (next == ~0u)
            break;
        if (next > from)
            close_between(from, next - 1);
        from = next + 1;
    }
    close_between(from, ~0u);
}

static void ignore_signals(void)
{
    const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGTERM, SIGALRM,   SIGUSR1,
                           SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU, SIGIO,   SIGVTALRM, SIGPROF};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        signal(signals[i], SIG_IGN);
}

/* Forks twice, so that the command has no child it doesn't know. The one in between sends no
 * SIGCHLD at its end (exit signal 0), which the caller may have blocked and would find pending. */
int detached_start(const char *name, void (*run)(void *argument), void *argument, const int *fds,
                   int count, struct ch_error *err)
{
    pid_t between = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
    int status = 0;

    if (between == 0) {
        pid_t process = fork();
        if (process != 0)
            _exit(process < 0 ? errno : 0);
        setsid();
        ignore_signals();
        close_all_but(fds, count);
        if (chdir("/") < 0)
            _exit(1);
        prctl(PR_SET_NAME, name);
        run(argument);
        _exit(0);
    }
    if (between < 0)
        return CH_FAIL(err, "fork", "%s", name);
    while (waitpid(between, &status, __WALL) < 0)
        if (errno != EINTR)
            return CH_FAIL(err, "waitpid", "%s", name);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return CH_FAIL_WITH(err, WIFEXITED(status) ? WEXITSTATUS(status) : EINTR, "fork", "%s",
                            name);
    return 0;
}
