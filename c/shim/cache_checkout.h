/* Parts of checking out a state: cache_checkout.c walks directories, cache_checkout_entry.c makes
 * what is in them, cache_checkout_crew.c does that in several threads. */
#ifndef CH_CACHE_CHECKOUT_H
#define CH_CACHE_CHECKOUT_H

#include "cache.h"

#include <pthread.h>

#include "key_map.h"

/* One thread's view. */
struct checkout {
    struct cache cache; /* the caller's alone may read lists of it */
    int to;
    uint32_t flags;
    struct tree_path path;
    struct checkout_copies *copies;
    struct crew *crew; /* NULL: all is done by this thread */
    struct ch_tree_counts *counts;
    struct ch_error *err;
};

/* Paths of objects' copies, for files with several names. */
struct checkout_copies {
    pthread_mutex_t lock;
    struct key_map map;
};

int checkout_fail(const struct checkout *out, const char *call);
/* Makes ENTRY, as NAME in DIRFD and at the path of OUT; whatever is there goes. A directory is
 * empty then. */
int checkout_make(struct checkout *out, const struct cache_entry *entry, int dirfd,
                  const char *name);
int checkout_remove(struct checkout *out, int dirfd, const char *name);
/* All of LIST but directories, in the directory FD, whose entry is ENTRY, and which is complete
 * then. */
int checkout_complete(struct checkout *out, int fd, const struct cache_list *list,
                      const struct cache_entry *entry);
/* What ENTRY says of the directory FD itself. */
int checkout_settle(const struct checkout *out, int fd, const struct cache_entry *entry);

/* Directories to be completed, each by one thread. Linking is waiting: on a local file system for
 * locks and memory, on one of the network for the server. */
struct crew;
/* NULL if out of memory; then there is none. */
struct crew *crew_new(const struct checkout *out);
/* Takes over FD and LIST, and does checkout_complete() with them at some time. False if that is to
 * be done by the caller, because it is little, there is enough to do already, or no crew. */
bool crew_give(struct crew *crew, const char *path, int fd, struct cache_list *list,
               const struct cache_entry *entry);
/* Waits until all is done, or, if RESULT is that of a failure, for what is begun. The first failure
 * of all, told to OUT, or 0. Frees CREW. */
int crew_end(struct crew *crew, const struct checkout *out, int result);

#endif
