/* See command.h and spec/ch-run.md §8. */
#define _GNU_SOURCE
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "message.h"
#include "remedy.h"

#define NO_FILTERS                                                                                 \
    "this kernel may lack CONFIG_SECCOMP_FILTER: do without --seccomp, or in a build without "     \
    "--force=seccomp"

void command_seccomp(const void *program, unsigned long length)
{
    struct sock_fprog filter = {
        .len = (unsigned short)(length / sizeof(struct sock_filter)),
        .filter = (struct sock_filter *)program,
    };

    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
        FAIL_HINT(NO_FILTERS, "can't install seccomp filter");
    /* The one faked call that nothing else would make: proof that the filter works. */
    if (syscall(SYS_kexec_load, 0, 0, NULL, 0) != 0)
        FAIL_HINT(NO_FILTERS, "seccomp root emulation failed (is your architecture supported?)");
}

void command_no_new_privs(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        FAIL_ERRNO("can't set no_new_privs");
}

void command_silence(bool out, bool err)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        FAIL_ERRNO("can't open: /dev/null");
    if ((out && dup2(fd, STDOUT_FILENO) < 0) || (err && dup2(fd, STDERR_FILENO) < 0))
        FAIL_ERRNO("can't dup2(2) /dev/null");
    close(fd);
}

static void run_child(char **argv, char **env, bool loud)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
        dup2(loud ? STDERR_FILENO : null, STDOUT_FILENO) < 0 ||
        (!loud && dup2(null, STDERR_FILENO) < 0))
        _exit(126);
    execve(argv[0], argv, env);
    _exit(127);
}

void command_run(char **argv, char **env, bool loud)
{
    int status = 0;
    pid_t child, waited;

    /* A caller that ignores SIGCHLD would leave us nothing to wait for. */
    void (*before)(int) = signal(SIGCHLD, SIG_DFL);

    child = fork();
    if (child < 0)
        FAIL_ERRNO("can't fork");
    if (child == 0)
        run_child(argv, env, loud);
    do
        waited = waitpid(child, &status, 0);
    while (waited < 0 && errno == EINTR);
    signal(SIGCHLD, before);
    if (waited < 0)
        FAIL_ERRNO("can't wait for: %s", argv[0]);
    if (status != 0)
        WARNING("can't run in the container: %s", argv[0]);
}

static void restore_signals(const struct ch_caller *caller)
{
    struct sigaction action;
    sigset_t mask;

    for (int signal = 1; signal < NSIG; signal++) {
        memset(&action, 0, sizeof(action));
        action.sa_handler = caller->signals_ignored & (1ull << (signal - 1)) ? SIG_IGN : SIG_DFL;
        sigaction(signal, &action, NULL); /* SIGKILL, SIGSTOP and the C library's own refuse */
    }
    sigemptyset(&mask);
    for (int signal = 1; signal < NSIG; signal++)
        if (caller->signals_masked & (1ull << (signal - 1)))
            sigaddset(&mask, signal);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

static void restore_limit(int resource, uint64_t soft)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit) < 0)
        return;
    limit.rlim_cur = soft > limit.rlim_max ? limit.rlim_max : soft;
    if (setrlimit(resource, &limit) < 0)
        FAIL_ERRNO("can't restore resource limit %d", resource);
}

static void restore_stdio(const struct ch_caller *caller)
{
    for (int fd = 0; fd < 3; fd++) {
        if (caller->stdio_flags[fd] < 0)
            close(fd);
        else
            fcntl(fd, F_SETFL, caller->stdio_flags[fd]);
    }
}

/* A script without "#!": the shell's job since ever (execvp(3)). */
static void exec_by_shell(const char *path, char **argv, char **env)
{
    size_t count = 0;
    char **words;

    while (argv[count] != NULL)
        count++;
    words = calloc(count + 3, sizeof(char *));
    if (words == NULL)
        return;
    words[0] = (char *)"/bin/sh";
    words[1] = (char *)path;
    for (size_t i = 1; i < count; i++)
        words[i + 1] = argv[i];
    execve(words[0], words, env);
    free(words);
}

static void try_exec(const char *path, char **argv, char **env)
{
    execve(path, argv, env);
    if (errno == ENOEXEC)
        exec_by_shell(path, argv, env);
}

/* As execvp(3), which would take PATH from our own environment. */
static void search_exec(char **argv, char **env, const char *search)
{
    bool denied = false;
    const char *from = search;

    if (argv[0][0] == '\0') {
        errno = ENOENT;
        return;
    }
    if (strchr(argv[0], '/') != NULL) {
        try_exec(argv[0], argv, env);
        return;
    }
    for (;;) {
        size_t n = strcspn(from, ":");
        char path[PATH_MAX];
        int length = n == 0 ? snprintf(path, sizeof(path), "./%s", argv[0])
                            : snprintf(path, sizeof(path), "%.*s/%s", (int)n, from, argv[0]);
        if (length < (int)sizeof(path))
            try_exec(path, argv, env);
        else
            errno = ENAMETOOLONG;
        switch (errno) {
        case EACCES:
            denied = true;
            break;
        case ENOENT:
        case ESTALE:
        case ENOTDIR:
        case ENODEV:
        case ETIMEDOUT:
        case ENAMETOOLONG:
            break;
        default:
            return;
        }
        if (from[n] == '\0')
            break;
        from += n + 1;
    }
    errno = denied ? EACCES : ENOENT;
}

/* The file that NAME means, whatever kept it from being executed; NULL if there is none. */
static const char *find_file(const char *name, const char *search)
{
    static char path[PATH_MAX];

    if (strchr(name, '/') != NULL || name[0] == '\0')
        return access(name, F_OK) == 0 ? name : NULL;
    for (const char *from = search;; from++) {
        size_t n = strcspn(from, ":");
        snprintf(path, sizeof(path), "%.*s/%s", n == 0 ? 1 : (int)n, n == 0 ? "." : from, name);
        if (access(path, F_OK) == 0)
            return path;
        from += n;
        if (*from == '\0')
            return NULL;
    }
}

void command_exec(const struct ch_caller *caller, char **argv, char **env, const char *search,
                  int status)
{
    restore_limit(RLIMIT_NOFILE, caller->nofile_soft);
    restore_limit(RLIMIT_AS, caller->as_soft);
    restore_signals(caller);
    restore_stdio(caller);
    search_exec(argv, env, search);
    message_status(status);
    FAIL_HINT(remedy_exec(failed, find_file(argv[0], search),
                          strchr(argv[0], '/') == NULL ? search : NULL),
              "can't execve(2): %s", argv[0]);
}
