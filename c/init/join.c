/* See join.h and spec/ch-run.md §7. The winner holds the group's lock until the container is
 * complete; who gets the lock before that knows the winner has died, and takes over. */
#define _GNU_SOURCE
#include "join.h"

#include <errno.h>

#include "join_container.h"
#include "join_keeper.h"
#include "join_roster.h"
#include "message.h"

#define PATIENCE 30    /* seconds */
#define CLOSED_MAX 250 /* tries */
#define HAS_LEFT (-1)

enum verdict {
    ENTER, /* a container is there */
    BUILD, /* we are the winner now */
    WAIT,  /* for peers on the way into the container */
    OVER,  /* another group is needed */
};

static struct timespec later(int seconds)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += seconds;
    return time;
}

/* What there is to enter. */
struct view {
    struct container container;
    int closed_pid; /* of a peer whose container cannot be opened, or 0 */
    int closed_reason;
};

/* The container of a peer: 0, or errno, or HAS_LEFT, because its command is in another now. */
static int open_peer(const struct group *group, const struct group_header *header,
                     const struct peer *peer, struct container *container)
{
    uint64_t user, mount;
    int reason = container_open(container, group->proc, (int)peer->pid);

    if (reason != 0)
        return reason;
    container_numbers(container, &user, &mount);
    if (user == header->user_ns && mount == header->mount_ns)
        return 0;
    container_close(container);
    return HAS_LEFT;
}

static enum verdict find_container(const struct group *group, const struct roster *roster,
                                   struct view *view)
{
    enum verdict verdict = BUILD;

    for (long i = 0; i < roster->peer_count; i++) {
        const struct peer *peer = &roster->peers[i];
        int reason;
        if ((peer->state != PEER_ENTERING && peer->state != PEER_JOINED) ||
            !peer_lives(group, peer))
            continue;
        reason = open_peer(group, &roster->header, peer, &view->container);
        if (reason == 0)
            return ENTER;
        if (reason == ENOENT || reason == ESRCH)
            continue; /* it is just ending */
        verdict = WAIT;
        if (peer->state == PEER_JOINED) {
            view->closed_pid = view->container.pid;
            view->closed_reason = reason;
        }
    }
    return verdict;
}

/* What a peer that has the lock makes of the group. */
static enum verdict look(const struct group *group, const struct roster *roster, struct view *view)
{
    if (group->own >= roster->header.count) /* we are of the tag's next group */
        return roster_count_left(group, roster) > 0 ? WAIT : OVER;
    return roster->header.complete ? find_container(group, roster, view) : BUILD;
}

static enum verdict judge(const struct group *group, bool is_peer, struct view *view)
{
    struct roster roster;
    enum verdict verdict = OVER;

    if (!group_is_current(group))
        return OVER;
    if (is_peer && roster_read(group, &roster)) {
        verdict = look(group, &roster, view);
        if (verdict == BUILD && roster.header.complete) { /* a container that is gone */
            roster.header.complete = 0;
            roster_write_header(group, &roster.header);
        }
        roster_free(&roster);
    }
    if (verdict == ENTER && !group_is_kept(group))
        keeper_release(keeper_start(group));
    if (verdict == OVER)
        group_remove(group);
    return verdict;
}

__attribute__((noreturn)) static void fail_late(void)
{
    message_hint("a peer of the group hangs or is stopped: end it, or take another --join-tag");
    FAIL("timeout waiting for join lock");
}

static void lock(const struct group *group, const struct timespec *deadline)
{
    if (!group_lock(group, deadline))
        fail_late();
}

__attribute__((noreturn)) static void fail_closed(const struct view *view)
{
    message_hint("start all peers before one of them leaves the container or forbids to look at "
                 "it, or take another --join-tag");
    if (view->closed_reason == HAS_LEFT)
        FAIL("join: the command of pid %d has left the container", view->closed_pid);
    errno = view->closed_reason;
    FAIL_ERRNO("join: can't open /proc/%d/ns/user", view->closed_pid);
}

/* Returns with the lock, unless the group is over. */
static enum verdict wait_for_container(struct group *group, struct container *container)
{
    const struct timespec deadline = later(PATIENCE), pause = {.tv_nsec = 2 * 1000 * 1000};
    const bool is_peer = roster_arrive(group);
    int closed_count = 0;

    for (;;) {
        struct view view = {.closed_pid = 0};
        enum verdict verdict;
        lock(group, &deadline);
        verdict = judge(group, is_peer, &view);
        *container = view.container;
        if (verdict != WAIT)
            return verdict;
        group_unlock(group);
        /* A process that ends may look so for a moment. */
        closed_count = view.closed_pid == 0 ? 0 : closed_count + 1;
        if (closed_count == CLOSED_MAX)
            fail_closed(&view);
        if (group_is_late(&deadline))
            fail_late();
        nanosleep(&pause, NULL);
    }
}

bool join_begin(struct join *join, const char *tag, int count)
{
    struct group *group = &join->group;
    struct container container;
    enum verdict verdict = OVER;

    group_setup(group, tag);
    while (verdict == OVER) {
        if (group_open(group)) {
            verdict = wait_for_container(group, &container);
            if (verdict == OVER)
                group_close(group);
        } else if (group_create(group, count)) {
            verdict = BUILD;
        }
    }
    join->won = verdict == BUILD;
    VERBOSE("join: I %s", join->won ? "won" : "lost");
    if (!join->won) {
        roster_write_own_state(group, PEER_ENTERING);
        group_unlock(group);
        container_enter(&container);
    }
    return join->won;
}

static void complete(const struct group *group, struct group_header *header)
{
    VERBOSE("join: winner initializing shared data");
    container_own_numbers(group->proc, &header->user_ns, &header->mount_ns);
    header->complete = 1;
    roster_write_header(group, header);
}

void join_finish(struct join *join)
{
    const struct timespec deadline = later(PATIENCE);
    struct group *group = &join->group;
    struct roster roster;
    int left;

    if (!join->won)
        lock(group, &deadline);
    roster_write_own_state(group, PEER_JOINED);
    if (!roster_read(group, &roster))
        FAIL("can't read: /dev/shm/%s", group->name);
    if (join->won)
        complete(group, &roster.header);
    left = roster_count_left(group, &roster);
    VERBOSE("join: %d peers left excluding myself", left);
    if (left == 0) {
        VERBOSE("join: cleaning up IPC resources");
        group_remove(group);
    }
    roster_free(&roster);
    group_end(group); /* and with it the lock */
    VERBOSE("join: done");
}
