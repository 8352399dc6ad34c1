/* A lock that lives as long as a container's root: what keeps two containers from writing to one
 * overlay directory at a time. */
#ifndef CH_HOLD_H
#define CH_HOLD_H

#include <stddef.h>

/* Until the root is there: how to tell the process that keeps the lock. */
struct hold {
    int watch_fd; /* inotify(7); -1 without a lock */
    int ready_fd;
};

/* Locks FILE, which is made if missing, and gets CONTENT if empty. NAME is what messages call it.
 * Before any mount namespace is made. */
void hold_start(struct hold *hold, const char *file, const void *content, size_t length,
                const char *name);
/* From now on the lock is released when the file system whose root is PATH goes. Nothing to do
 * without a lock. */
void hold_root(struct hold *hold, const char *path);

#endif
