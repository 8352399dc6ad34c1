/* The tree of an image being written: names and inodes, in memory. Paths are looked up as a file
 * system would, links of the image's own included, and never leave its root. */
#ifndef CH_SQUASHFS_TREE_H
#define CH_SQUASHFS_TREE_H

#include <sqfs/inode.h>
#include <stdint.h>

#include "ch.h"

#define SQUASHFS_NO_XATTR 0xffffffffu

struct squashfs_node {
    struct squashfs_node *next;  /* of all, in order of creation */
    sqfs_inode_generic_t *inode; /* of a file, from its first byte on; of others while written */
    union {
        const char *target;               /* symbolic link */
        struct {                          /* directory */
            struct squashfs_node *parent; /* the root's is itself */
            struct squashfs_name *names;
            struct squashfs_name **sorted;
            uint32_t child_count;
            uint32_t depth;
        };
        struct { /* device */
            uint32_t major, minor;
        };
    };
    uint64_t reference; /* place of the inode, as directories and the superblock name it */
    uint32_t mode;      /* with type */
    uint32_t uid, gid, time, xattr;
    uint32_t links;
    uint32_t number; /* from 1; 0 before squashfs_tree_number() */
};

struct squashfs_name {
    struct squashfs_name *next;      /* in the directory */
    struct squashfs_name *collision; /* in the hash table */
    struct squashfs_node *directory;
    struct squashfs_node *node;
    char text[];
};

struct squashfs_tree;

/* NULL if there is no memory. Holds a root directory. */
struct squashfs_tree *squashfs_tree_new(void);
void squashfs_tree_free(struct squashfs_tree *tree);

/* Adds or replaces. A directory that is there keeps its entries and takes over the rest; what else
 * is there gives way. Missing parents are made. */
int squashfs_tree_add(struct squashfs_tree *tree, const char *path,
                      const struct ch_squashfs_entry *entry, const char *target,
                      struct squashfs_node **node, struct ch_error *err);
int squashfs_tree_link(struct squashfs_tree *tree, const char *path, const char *target,
                       struct ch_error *err);
struct squashfs_node *squashfs_tree_root(struct squashfs_tree *tree);

/* Sorts directories, counts links and numbers what has a name; how many, 0 if there is no memory.
 */
uint32_t squashfs_tree_number(struct squashfs_tree *tree);
/* Calls VISIT once for each numbered node, in order of the numbers: what a directory holds before
 * the directory. Stops at a result other than 0. */
int squashfs_tree_visit(struct squashfs_tree *tree, int (*visit)(struct squashfs_node *, void *),
                        void *context);

#endif
