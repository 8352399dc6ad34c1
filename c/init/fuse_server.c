/* See fuse_server.h: the process. What it answers is in fuse_session.c and fuse_operations.c. */
#define _GNU_SOURCE
#include "fuse_server.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../squashfs/reader.h"
#include "fuse_session.h"

#define WORKERS_MAX 8
#define READERS_MAX 4

/* The server must not read before the mount: the kernel answers EPERM and has nothing to wait for.
 * So it waits for a byte from this pipe, or for its end, if there will be no mount. */
static int mounted_fd = -1;

/* What we are bound to, which may be less than there are. The set has no room for more than 1024.
 */
static unsigned processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : WORKERS_MAX;
}

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

/* Leaves nothing of the caller's open: a pipe we could write to never ended. FDS are >= 3.
 */
static void close_all_but(const int fds[3])
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    unsigned from = 3;

    for (int fd = 0; fd < 3; fd++)
        if (null < 0 || (fd != null && dup2(null, fd) < 0))
            close(fd);
    for (;;) {
        unsigned next = ~0u;
        for (int i = 0; i < 3; i++)
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

/* Neither the terminal nor a batch system's polite signals end the server before its container. It
 * needs no signal to end. */
static void ignore_signals(void)
{
    const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGTERM, SIGALRM,   SIGUSR1,
                           SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU, SIGIO,   SIGVTALRM, SIGPROF};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        signal(signals[i], SIG_IGN);
}

__attribute__((noreturn)) static void serve(struct sq *image, int image_fd, int fuse_fd,
                                            int start_fd)
{
    int fds[3] = {image_fd, fcntl(fuse_fd, F_DUPFD_CLOEXEC, 3),
                  fcntl(start_fd, F_DUPFD_CLOEXEC, 3)};
    unsigned cores = processors();
    char byte;

    if (fds[1] < 0 || fds[2] < 0)
        _exit(1);
    setsid();
    ignore_signals();
    close_all_but(fds);
    if (chdir("/") < 0)
        _exit(1);
    prctl(PR_SET_NAME, "ch-squashfs");
    if (cores > 1)
        sq_start_readahead(image, cores < READERS_MAX ? cores : READERS_MAX);
    if (TEMP_FAILURE_RETRY(read(fds[2], &byte, 1)) != 1)
        _exit(0);
    close(fds[2]);
    fuse_session_run(image, fds[1], cores < 2 ? 2 : cores < WORKERS_MAX ? cores : WORKERS_MAX);
    _exit(0);
}

/* Forks twice, so that the command finds no child it doesn't know. The one in between sends no
 * SIGCHLD at its end (exit signal 0), which the caller may have blocked and would find pending. */
static int fork_server(struct sq *image, int image_fd, int fuse_fd, int start_fd,
                       struct ch_error *err)
{
    pid_t between = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
    int status = 0;

    if (between == 0) {
        pid_t server = fork();
        if (server == 0)
            serve(image, image_fd, fuse_fd, start_fd);
        _exit(server < 0 ? errno : 0);
    }
    if (between < 0)
        return CH_FAIL(err, "fork", "%s", "SquashFS server");
    while (waitpid(between, &status, __WALL) < 0)
        if (errno != EINTR)
            return CH_FAIL(err, "waitpid", "%s", "SquashFS server");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return CH_FAIL_WITH(err, WIFEXITED(status) ? WEXITSTATUS(status) : EINTR, "fork", "%s",
                            "SquashFS server");
    return 0;
}

/* Message: "can't open SquashFS: PATH: CALL". */
static int name_image(struct ch_error *err, const char *image)
{
    int result = err->errnum > 0 ? -err->errnum : -EIO;

    if (err->errnum == 0)
        snprintf(err->call, sizeof(err->call), "%.*s", (int)sizeof(err->call) - 1, err->path);
    snprintf(err->path, sizeof(err->path), "%s", image);
    return result;
}

static int open_image(const char *path, struct sq **image, struct ch_error *err)
{
    /* O_NONBLOCK: a FIFO is refused instead of waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), high;

    if (fd < 0)
        return CH_FAIL(err, "open", "%s", path);
    /* Above stdio, which the server replaces. */
    high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    if (high < 0)
        return CH_FAIL(err, "fcntl", "%s", path);
    if (sq_open(high, image, err) < 0) {
        close(high);
        return name_image(err, path);
    }
    return high;
}

int fuse_server_start(const char *path, int fuse_fd, struct ch_error *err)
{
    struct sq *image;
    int ends[2];
    int result, fd = open_image(path, &image, err);

    if (fd < 0)
        return fd;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        result = CH_FAIL(err, "socketpair", "%s", path);
        sq_close(image);
        return result;
    }
    result = fork_server(image, fd, fuse_fd, ends[0], err);
    sq_close(image);
    close(ends[0]);
    if (result < 0)
        close(ends[1]);
    else
        mounted_fd = ends[1];
    return result;
}

/* No allow_other: the owner's processes may enter from outside the namespace too, as debuggers do.
 * No default_permissions: files of users that have no number here would be closed to everybody. */
int fuse_mount(int fuse_fd, const char *directory, struct ch_error *err)
{
    char options[96];
    int result = 0;

    snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%u,group_id=%u", fuse_fd,
             (unsigned)geteuid(), (unsigned)getegid());
    if (mount("squashfs", directory, "fuse.ch", MS_NOSUID | MS_NODEV | MS_RDONLY, options) < 0)
        result = CH_FAIL(err, "mount", "%s", directory);
    else if (TEMP_FAILURE_RETRY(send(mounted_fd, "m", 1, MSG_NOSIGNAL)) != 1)
        result = CH_FAIL(err, "send", "%s", "SquashFS server");
    close(mounted_fd);
    mounted_fd = -1;
    return result;
}
