/* The names in the directories of an image being written: a hash table over all of them. */
#ifndef CH_SQUASHFS_NAMES_H
#define CH_SQUASHFS_NAMES_H

#include "pool.h"
#include "squashfs_tree.h"

/* All zero at first. */
struct squashfs_names {
    struct squashfs_name **slots;
    size_t slot_count, count;
};

/* NULL: DIRECTORY has no name of these LENGTH bytes. */
struct squashfs_name *squashfs_names_find(const struct squashfs_names *names,
                                          const struct squashfs_node *directory, const char *text,
                                          size_t length);
/* One that is not there yet, for the caller to give a node. NULL without memory. */
struct squashfs_name *squashfs_names_add(struct squashfs_names *names, struct pool *pool,
                                         struct squashfs_node *directory, const char *text,
                                         size_t length);
void squashfs_names_free(struct squashfs_names *names);

#endif
