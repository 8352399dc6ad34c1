/* See supervise.h. Orphans come to the supervisor because it is a subreaper (prctl(2)), so its
 * children, found again and again until there are none, are all there is to kill. */
#define _GNU_SOURCE
#include "supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "message.h"

/* Kill the subtree of PID, children first come first. CONFIG_PROC_CHILDREN is on wherever
 * containers are; without it only direct children die, and their orphans in the next round. */
static int kill_children(pid_t pid)
{
    char path[64];
    FILE *file;
    int child, count = 0;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    while (fscanf(file, "%d", &child) == 1) {
        count++;
        kill(child, SIGKILL);
        kill_children(child);
    }
    fclose(file);
    return count;
}

static void kill_all(void)
{
    for (;;) {
        kill_children(getpid());
        if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
            return;
    }
}

/* End the way the child ended, without a core file of our own. */
__attribute__((noreturn)) static void end_as(int status)
{
    struct rlimit none = {0, 0};
    sigset_t all;

    if (!WIFSIGNALED(status))
        _exit(WEXITSTATUS(status));
    setrlimit(RLIMIT_CORE, &none);
    signal(WTERMSIG(status), SIG_DFL);
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    raise(WTERMSIG(status));
    _exit(128 + WTERMSIG(status));
}

/* Wait for the child or for word that our parent is gone (SIGTERM, see PR_SET_PDEATHSIG). */
__attribute__((noreturn)) static void watch(pid_t child, const sigset_t *waited)
{
    for (;;) {
        siginfo_t info;
        int status;
        pid_t pid;

        if (sigwaitinfo(waited, &info) < 0)
            continue;
        if (info.si_signo != SIGCHLD) {
            kill_all();
            _exit(128 + info.si_signo);
        }
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            if (pid == child) {
                kill_all();
                end_as(status);
            }
    }
}

void supervise(pid_t parent)
{
    sigset_t waited, old;
    pid_t child;

    sigemptyset(&waited);
    sigaddset(&waited, SIGCHLD);
    sigaddset(&waited, SIGTERM);
    sigaddset(&waited, SIGINT);
    sigaddset(&waited, SIGHUP);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_BLOCK, &waited, &old);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0)
        FAIL_ERRNO("can't watch over the command");
    if (parent != 0 && getppid() != parent)
        _exit(128 + SIGTERM); /* it died before we asked to be told */
    child = fork();
    if (child < 0)
        FAIL_ERRNO("can't fork");
    if (child > 0)
        watch(child, &waited);
    sigprocmask(SIG_SETMASK, &old, NULL);
}
