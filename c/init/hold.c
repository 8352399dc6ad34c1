/* See hold.h. The command must not have the lock: it would find a descriptor it does not know, and
 * daemons close all they find. So a process outside of the container's mount namespace keeps it,
 * and sleeps until inotify(7) reports the root's file system unmounted, which happens when the last
 * process in the container has ended. (Tried; flock(2) in the command, and overlayfs' own lock,
 * which comes only with index=on and refuses an upper layer whose image was made anew.) */
#define _GNU_SOURCE
#include "hold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "detached.h"
#include "message.h"

#define TOO_MANY                                                                                   \
    "you have as many inotify instances as allowed: an administrator can raise it with \"sysctl "  \
    "fs.inotify.max_user_instances=1024\""

struct keeper {
    int fds[3]; /* lock, watch, ready */
};

static bool has_ended(const struct inotify_event *event)
{
    return event->mask & (IN_UNMOUNT | IN_IGNORED);
}

static void keep(void *argument)
{
    const struct keeper *keeper = argument;
    struct inotify_event event; /* of a directory itself, so without a name */
    char byte;

    if (TEMP_FAILURE_RETRY(read(keeper->fds[2], &byte, 1)) != 1)
        return; /* no root came to be */
    close(keeper->fds[2]);
    while (TEMP_FAILURE_RETRY(read(keeper->fds[1], &event, sizeof(event))) == sizeof(event))
        if (has_ended(&event))
            return;
}

/* The keeper of a container that ended just now may need a moment to notice. */
static int lock_soon(int fd)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

    for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
        if (errno != EWOULDBLOCK || tries == 100)
            return -1;
        nanosleep(&pause, NULL);
    }
    return 0;
}

static int open_locked(const char *file, const char *name)
{
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

    if (fd < 0)
        FAIL_HINT("the overlay's directory and all in it must be yours", "can't open: %s", file);
    if (lock_soon(fd) == 0)
        return fd;
    if (errno != EWOULDBLOCK)
        FAIL_ERRNO("can't lock: %s", file);
    message_hint("wait until that container has ended, enter it with --join-pid, or use another "
                 "directory");
    FAIL("overlay is in use by another container: %s", name);
}

static void fill(int fd, const char *file, const void *content, size_t length)
{
    if (lseek(fd, 0, SEEK_END) != 0)
        return;
    if (write(fd, content, length) != (ssize_t)length)
        FAIL_ERRNO("can't write: %s", file);
}

/* A copy above stdio, which a detached process replaces. */
static int above_stdio(int fd)
{
    int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);

    if (copy < 0)
        FAIL_ERRNO("can't keep the overlay's lock");
    close(fd);
    return copy;
}

static int open_watch(void)
{
    int fd = inotify_init1(IN_CLOEXEC);

    if (fd < 0)
        FAIL_HINT(failed == EMFILE ? TOO_MANY : NULL, "can't keep the overlay's lock");
    return above_stdio(fd);
}

void hold_start(struct hold *hold, const char *file, const void *content, size_t length,
                const char *name)
{
    struct keeper keeper;
    struct ch_error error;
    int pipe_fds[2], lock = open_locked(file, name);

    fill(lock, file, content, length);
    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        FAIL_ERRNO("can't keep the overlay's lock");
    keeper.fds[0] = above_stdio(lock);
    keeper.fds[1] = open_watch();
    keeper.fds[2] = above_stdio(pipe_fds[0]);
    if (detached_start("ch-overlay", keep, &keeper, keeper.fds, 3, &error) < 0) {
        errno = error.errnum;
        FAIL_ERRNO("can't keep the overlay's lock");
    }
    close(keeper.fds[0]);
    close(keeper.fds[2]);
    hold->watch_fd = keeper.fds[1];
    hold->ready_fd = pipe_fds[1];
}

void hold_root(struct hold *hold, const char *path)
{
    if (hold->watch_fd < 0)
        return;
    /* Which event does not matter: that of unmounting comes unasked. */
    if (inotify_add_watch(hold->watch_fd, path, IN_ONLYDIR | IN_DELETE_SELF) < 0)
        FAIL_ERRNO("can't watch: %s", path);
    if (TEMP_FAILURE_RETRY(write(hold->ready_fd, "r", 1)) != 1)
        FAIL_ERRNO("the overlay's lock is lost");
    close(hold->watch_fd);
    close(hold->ready_fd);
    hold->watch_fd = -1;
}
