/* Becoming or starting init (c/init), and waiting for it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../caller.h"
#include "../ch.h"

/* What the caller had, as far as it can still be told: without entry code, that is `deno run` on a
 * source tree or a program made by `deno compile`. Deno ignores SIGPIPE itself. */
static void guess_caller(struct ch_caller *caller)
{
    struct rlimit limit;

    memset(caller, 0, sizeof(*caller));
    caller->magic = CALLER_MAGIC;
    getrlimit(RLIMIT_NOFILE, &limit);
    caller->nofile_soft = limit.rlim_cur;
    caller->nofile_hard = limit.rlim_max;
    getrlimit(RLIMIT_AS, &limit);
    caller->as_soft = limit.rlim_cur;
    caller->as_hard = limit.rlim_max;
    for (int fd = 0; fd < 3; fd++)
        caller->stdio_flags[fd] = fcntl(fd, F_GETFL) & ~O_NONBLOCK;
}

static int read_caller(int caller_fd, struct ch_caller *caller, struct ch_error *err)
{
    if (caller_fd < 0) {
        guess_caller(caller);
        return 0;
    }
    if (pread(caller_fd, caller, sizeof(*caller), 0) != sizeof(*caller) ||
        caller->magic != CALLER_MAGIC)
        return CH_FAIL_WITH(err, EINVAL, "pread", "caller's state");
    return 0;
}

/* The block that init reads: caller's state, then the plan. Inherited by the next program. */
static int open_block(struct ch_caller *caller, const void *plan, uint32_t plan_length,
                      struct ch_error *err)
{
    int fd = memfd_create("ch-plan", 0);

    caller->plan_length = plan_length;
    if (fd < 0)
        return CH_FAIL(err, "memfd_create", "plan");
    if (write(fd, caller, sizeof(*caller)) != sizeof(*caller) ||
        write(fd, plan, plan_length) != (ssize_t)plan_length) {
        int failed = CH_FAIL(err, "write", "plan");
        close(fd);
        return failed;
    }
    return fd;
}

struct launch {
    const char *path; /* of init */
    int block_fd;
    char number[16];
};

/* The executable is init, too, where it has entry code (c/entry); INIT_PATH serves others. */
static int prepare_launch(struct launch *launch, const void *plan, uint32_t plan_length,
                          uint32_t parent, int32_t caller_fd, const char *init_path,
                          struct ch_error *err)
{
    struct ch_caller caller;
    int result = read_caller(caller_fd, &caller, err);

    if (result < 0)
        return result;
    launch->path = caller_fd < 0 ? init_path : "/proc/self/exe";
    caller.parent = parent;
    if (parent != 0) /* a child gets its stdio from us, not from our caller */
        for (int fd = 0; fd < 3; fd++)
            caller.stdio_flags[fd] = fd == 0 ? O_RDONLY : O_WRONLY;
    launch->block_fd = open_block(&caller, plan, plan_length, err);
    if (launch->block_fd < 0)
        return launch->block_fd;
    snprintf(launch->number, sizeof(launch->number), "%d", launch->block_fd);
    return 0;
}

static void exec_init(struct launch *launch)
{
    char *argv[] = {(char *)"ch-init", launch->number, NULL};
    char *env[] = {NULL};

    execve(launch->path, argv, env);
}

CH_API int32_t ch_process_replace(const void *plan, uint32_t plan_length, int32_t caller_fd,
                                  const char *init_path, struct ch_error *err)
{
    struct launch launch;
    int result = prepare_launch(&launch, plan, plan_length, 0, caller_fd, init_path, err);

    if (result < 0)
        return result;
    exec_init(&launch);
    result = CH_FAIL(err, "execve", "%s", launch.path);
    close(launch.block_fd);
    return result;
}

CH_API int32_t ch_process_spawn(const void *plan, uint32_t plan_length, int32_t caller_fd,
                                const char *init_path, const int32_t *stdio, struct ch_error *err)
{
    struct launch launch;
    int result =
        prepare_launch(&launch, plan, plan_length, (uint32_t)getpid(), caller_fd, init_path, err);
    volatile int child_errno = 0;
    pid_t pid;

    if (result < 0)
        return result;
    /* The child shares our memory until it executes init, and does next to nothing: a process with
     * V8's address space is slow to fork. */
    pid = vfork();
    if (pid == 0) {
        int copies[3];
        for (int i = 0; i < 3; i++)
            copies[i] = fcntl(stdio[i], F_DUPFD, 3);
        for (int i = 0; i < 3; i++) {
            dup2(copies[i], i);
            close(copies[i]);
        }
        exec_init(&launch);
        child_errno = errno;
        _exit(127);
    }
    result = pid;
    if (pid < 0)
        result = CH_FAIL(err, "vfork", "%s", "");
    if (pid > 0 && child_errno != 0) {
        waitpid(pid, NULL, 0);
        result = CH_FAIL_WITH(err, child_errno, "execve", "%s", launch.path);
    }
    close(launch.block_fd);
    return result;
}

CH_API int32_t ch_process_wait(int32_t pid, struct ch_error *err)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return CH_FAIL(err, "waitpid", "%d", pid);
    return status;
}

CH_API int32_t ch_process_pipe(int32_t ends[2], struct ch_error *err)
{
    return pipe2(ends, O_CLOEXEC) != 0 ? CH_FAIL(err, "pipe2", "%s", "") : 0;
}
