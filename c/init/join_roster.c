/* See join_roster.h. */
#define _GNU_SOURCE
#include "join_roster.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"

#define GROUP_MAGIC 0x6e696f4au /* "Join" */
#define GROUP_VERSION 1u

/* When the process PID began; false if it does not run any more. Fields are in proc(5). */
static bool find_start(const struct group *group, uint32_t pid, uint64_t *start)
{
    char path[32], text[1024], state;
    const char *rest;
    unsigned long long value;
    ssize_t length;
    int fd;

    snprintf(path, sizeof(path), "%u/stat", pid);
    fd = openat(group->proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    length = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[length < 0 ? 0 : length] = '\0';
    rest = strrchr(text, ')'); /* the name before may hold anything */
    if (rest == NULL || sscanf(rest,
                               ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                               "%*s %*s %*s %llu",
                               &state, &value) != 2)
        return false;
    *start = value;
    return state != 'Z' && state != 'X';
}

bool peer_lives(const struct group *group, const struct peer *peer)
{
    uint64_t start;

    return find_start(group, peer->pid, &start) && start == peer->start;
}

static struct peer ourselves(const struct group *group)
{
    struct peer peer = {.pid = (uint32_t)getpid(), .state = PEER_ARRIVED};

    if (!find_start(group, peer.pid, &peer.start))
        FAIL("can't read: /proc/%u/stat", peer.pid);
    return peer;
}

static bool read_header(const struct group *group, struct group_header *header)
{
    return pread(group->fd, header, sizeof(*header), 0) == sizeof(*header) &&
           header->magic == GROUP_MAGIC && header->version == GROUP_VERSION && header->count > 0;
}

bool roster_read(const struct group *group, struct roster *roster)
{
    struct stat st;
    ssize_t size;

    if (!read_header(group, &roster->header) || fstat(group->fd, &st) < 0)
        return false;
    roster->peer_count = (st.st_size - (off_t)sizeof(roster->header)) / (off_t)sizeof(struct peer);
    if (roster->peer_count > roster->header.count)
        roster->peer_count = roster->header.count;
    size = roster->peer_count * (ssize_t)sizeof(struct peer);
    roster->peers = malloc((size_t)size + 1);
    if (roster->peers == NULL)
        FAIL_ERRNO("out of memory");
    if (pread(group->fd, roster->peers, (size_t)size, sizeof(roster->header)) == size)
        return true;
    roster_free(roster);
    return false;
}

void roster_free(struct roster *roster)
{
    free(roster->peers);
    roster->peers = NULL;
}

static void write_at(const struct group *group, const void *data, size_t length, off_t offset)
{
    if (pwrite(group->fd, data, length, offset) != (ssize_t)length)
        FAIL_ERRNO("can't write: /dev/shm/%s", group->name);
}

void roster_write_header(const struct group *group, const struct group_header *header)
{
    write_at(group, header, sizeof(*header), 0);
}

void roster_write_own_state(const struct group *group, enum peer_state state)
{
    off_t offset = (off_t)sizeof(struct group_header) + group->own * (off_t)sizeof(struct peer);
    uint32_t value = state;

    write_at(group, &value, sizeof(value), offset + (off_t)offsetof(struct peer, state));
}

void roster_begin(struct group *group, int count)
{
    const struct group_header header = {
        .magic = GROUP_MAGIC,
        .version = GROUP_VERSION,
        .count = count,
    };
    const struct peer peer = ourselves(group);

    write_at(group, &header, sizeof(header), 0);
    write_at(group, &peer, sizeof(peer), sizeof(header));
    group->own = 0;
}

/* Without the lock, which the winner may hold: so that those who come meanwhile are known. Whoever
 * met one of them alive may take the group over when all in the container have ended; but a tag may
 * be used again, and then what is left of its last use must not pass for a part of this one. */
bool roster_arrive(struct group *group)
{
    struct peer peer = ourselves(group);
    struct roster roster;

    if (!roster_read(group, &roster))
        return false; /* a file that we cannot read */
    if (!roster_lives(group, &roster))
        peer.state = PEER_STRANGER;
    roster_free(&roster);
    if (fcntl(group->fd, F_SETFL, O_APPEND) < 0 ||
        write(group->fd, &peer, sizeof(peer)) != sizeof(peer) || fcntl(group->fd, F_SETFL, 0) < 0)
        FAIL_ERRNO("can't write: /dev/shm/%s", group->name);
    group->own =
        (lseek(group->fd, 0, SEEK_CUR) - (off_t)sizeof(roster.header)) / (off_t)sizeof(peer) - 1;
    return peer.state != PEER_STRANGER;
}

int roster_count_left(const struct group *group, const struct roster *roster)
{
    int left = roster->header.count;

    for (long i = 0; i < roster->peer_count; i++)
        if (roster->peers[i].state == PEER_JOINED || !peer_lives(group, &roster->peers[i]))
            left--;
    return left;
}

bool roster_lives(const struct group *group, const struct roster *roster)
{
    for (long i = 0; i < roster->peer_count; i++)
        if (roster->peers[i].state != PEER_STRANGER && peer_lives(group, &roster->peers[i]))
            return true;
    return false;
}
