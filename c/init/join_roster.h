/* What is in a group's file (join_group.h):
 *
 *     struct group_header    set by the winner
 *     struct peer ...        one each, in order of arrival, appended without the lock
 *
 * It outlives no process it tells of: a peer lives while a process of its number has its start
 * time. */
#ifndef CH_JOIN_ROSTER_H
#define CH_JOIN_ROSTER_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "join_group.h"

enum peer_state {
    PEER_ARRIVED = 0,  /* waits, or builds the container */
    PEER_ENTERING = 1, /* holds the container's namespaces */
    PEER_JOINED = 2,   /* in the container, will execute its command or has */
    PEER_STRANGER = 3, /* has come when all others were gone: the group is none of his */
};

struct peer {
    uint32_t pid;
    uint32_t state;
    uint64_t start; /* of the process, in the kernel's units */
};
static_assert(sizeof(struct peer) == 16, "appended at once, so never across pages");

struct group_header {
    uint32_t magic;
    uint32_t version;
    int32_t count;     /* of peers, as the winner has it */
    uint32_t complete; /* the container is */
    uint64_t user_ns;  /* inode numbers of its namespaces */
    uint64_t mount_ns;
};
static_assert(sizeof(struct group_header) == 32, "a multiple of struct peer");

struct roster {
    struct group_header header;
    struct peer *peers;
    long peer_count; /* never more than the header's count */
};

/* The content of a new file: COUNT peers expected, we are the first. */
void roster_begin(struct group *group, int count);
/* Put ourselves down as a peer. False if we found the group dead: then it is to be removed. */
bool roster_arrive(struct group *group);

/* False if the file is not of our making. To be released by roster_free(). */
bool roster_read(const struct group *group, struct roster *roster);
void roster_free(struct roster *roster);

/* For who has the lock. */
void roster_write_header(const struct group *group, const struct group_header *header);
void roster_write_own_state(const struct group *group, enum peer_state state);

/* Peers that may still come or enter. */
int roster_count_left(const struct group *group, const struct roster *roster);
/* Whether any of its peers does. */
bool roster_lives(const struct group *group, const struct roster *roster);
bool peer_lives(const struct group *group, const struct peer *peer);

#endif
