/* The file by which the peers of a join find each other: /dev/shm/ch-run_shm-TAG, with a second
 * name that upstream's tools know, sem.ch-run_sem-TAG. It is written whole and locked before it
 * gets its names, so nobody meets one that is half made. The locks are record locks (fcntl(2)),
 * which die with their process. What is in the file: join_roster.h. */
#ifndef CH_JOIN_GROUP_H
#define CH_JOIN_GROUP_H

#include <limits.h>
#include <stdbool.h>
#include <time.h>

struct group {
    int directory; /* /dev/shm */
    int proc;      /* the host's /proc */
    int fd;        /* the file, or -1 */
    long own;      /* which peer we are; -1 before arrival */
    char name[NAME_MAX + 1];
    char second_name[NAME_MAX + 1];
};

/* Opens nothing of the group yet. Ends the program if there is no /dev/shm. */
void group_setup(struct group *group, const char *tag);
/* False if there is no such group. Ends the program if it is somebody else's. */
bool group_open(struct group *group);
/* A new group with us as the first peer, holding its lock. False if another was quicker. */
bool group_create(struct group *group, int count);
void group_close(struct group *group);
/* The same and everything else. */
void group_end(struct group *group);

/* DEADLINE is a time of CLOCK_MONOTONIC. */
bool group_is_late(const struct timespec *deadline);
/* False if the lock has not come free by DEADLINE. */
bool group_lock(const struct group *group, const struct timespec *deadline);
/* As long as it takes. */
void group_lock_patiently(const struct group *group);
void group_unlock(const struct group *group);

/* These two are for who has the lock: whether the group still has its name; and to take its names
 * away, as far as they are its own. */
bool group_is_current(const struct group *group);
void group_remove(const struct group *group);

/* The keeper says that it is there, for as long as it lives. False if there is one already. */
bool group_mark_kept(const struct group *group);
bool group_is_kept(const struct group *group);

#endif
