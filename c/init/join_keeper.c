/* See join_keeper.h. Sleeps until a certain peer ends or the group's file changes. */
#define _GNU_SOURCE
#include "join_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "detached.h"
#include "join_roster.h"
#include "message.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

struct keeper {
    struct group group;
    int starting;
};

/* Milliseconds. Peers arrive in a crowd; one look at it all is enough. */
#define CROWD 50
/* Between looks, where the kernel has no pidfds (before 5.3) or no inotify instance is left. */
#define BLIND 250

static void write_word(int fd)
{
    if (TEMP_FAILURE_RETRY(write(fd, "k", 1)) != 1)
        _exit(1); /* who started us is gone, and his group with him */
}

/* What to wait for: a peer that is not in yet, else any. False if there is nothing more to do. */
static bool look(const struct group *group, struct peer *next)
{
    struct roster roster;
    bool is_found = false;

    if (!group_is_current(group) || !roster_read(group, &roster))
        return false;
    for (long i = 0; i < roster.peer_count; i++) {
        const struct peer *peer = &roster.peers[i];
        if (peer->state == PEER_STRANGER)
            continue;
        if ((!is_found || peer->state != PEER_JOINED) && peer_lives(group, peer)) {
            is_found = true;
            *next = *peer;
            if (peer->state != PEER_JOINED)
                break;
        }
    }
    if (!is_found || roster_count_left(group, &roster) == 0) {
        group_remove(group);
        is_found = false;
    }
    roster_free(&roster);
    return is_found;
}

static int watch_file(const struct group *group)
{
    char path[32];
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    snprintf(path, sizeof(path), "/proc/self/fd/%d", group->fd);
    if (fd >= 0 && inotify_add_watch(fd, path, IN_MODIFY | IN_ATTRIB) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void drain(int fd)
{
    char events[4096];

    while (read(fd, events, sizeof(events)) > 0)
        ;
}

/* Until PEER ends or the file changes, or a while later. */
static void wait_for_news(const struct group *group, const struct peer *peer, int watch)
{
    int pidfd = (int)syscall(SYS_pidfd_open, peer->pid, 0);
    struct pollfd fds[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = watch, .events = POLLIN}};
    int limit = (pidfd < 0 && errno != ESRCH) || watch < 0 ? BLIND : -1;

    if (peer_lives(group, peer)) { /* else the number may be another's already */
        poll(fds, 2, limit);
        if (fds[0].revents == 0 && fds[1].revents != 0)
            poll(fds, 1, CROWD);
    }
    if (watch >= 0)
        drain(watch);
    if (pidfd >= 0)
        close(pidfd);
}

static void keep(void *argument)
{
    const struct keeper *keeper = argument;
    const struct group *group = &keeper->group;
    struct peer next;
    char byte;
    int watch;

    if (!group_mark_kept(group))
        return;
    write_word(keeper->starting);
    if (TEMP_FAILURE_RETRY(read(keeper->starting, &byte, 1)) > 0)
        return;
    close(keeper->starting);
    watch = watch_file(group);
    for (;;) {
        bool is_open;
        group_lock_patiently(group);
        is_open = look(group, &next);
        group_unlock(group);
        if (!is_open)
            return;
        wait_for_news(group, &next, watch);
    }
}

int keeper_start(const struct group *group)
{
    struct keeper keeper = {.group = *group};
    struct ch_error error;
    int ends[2], fds[4];
    char byte;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        FAIL_ERRNO("can't start the join's keeper");
    keeper.starting = fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
    close(ends[1]);
    if (keeper.starting < 0)
        FAIL_ERRNO("can't start the join's keeper");
    fds[0] = group->fd;
    fds[1] = group->directory;
    fds[2] = group->proc;
    fds[3] = keeper.starting;
    if (detached_start("ch-join", keep, &keeper, fds, 4, &error) < 0) {
        errno = error.errnum;
        FAIL_ERRNO("can't start the join's keeper");
    }
    close(keeper.starting);
    /* Its word, or its end, if there is a keeper already. */
    if (TEMP_FAILURE_RETRY(read(ends[0], &byte, 1)) < 0)
        FAIL_ERRNO("can't start the join's keeper");
    return ends[0];
}

void keeper_release(int starting)
{
    close(starting);
}
