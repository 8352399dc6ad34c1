/* Writing SquashFS: c/shim/squashfs_*.c, ffi/squashfs_writer.ts. */
#ifndef CH_API_SQUASHFS_WRITER_H
#define CH_API_SQUASHFS_WRITER_H

#include "base.h"

struct ch_squashfs_settings {
    uint32_t compressor; /* the format's number: 1 gzip, 4 xz, 5 lz4, 6 zstd */
    uint32_t level;      /* 0 for libsquashfs' default */
    uint32_t block_size;
    uint32_t workers;
    uint32_t time;          /* of the superblock */
    uint32_t keep_existing; /* finish fails with EEXIST rather than to replace a file */
};

#define CH_SQUASHFS_HARD_LINK 0xffffffffu

struct ch_squashfs_entry {
    uint32_t type; /* S_IFMT bits, or CH_SQUASHFS_HARD_LINK: then only path and target count */
    uint32_t mode; /* permission bits */
    uint32_t uid, gid;
    uint64_t size; /* of a file's data */
    int64_t time;
    uint32_t major, minor;
    int32_t fd; /* to take a file's data from; -1: appended afterwards */
    uint32_t xattr_count;
    uint64_t reserved;
};

struct ch_squashfs_counts {
    uint64_t inodes;
    uint64_t bytes; /* of the image */
    uint64_t data;  /* of the files in it */
    uint64_t fragments;
};

/* An image to be PATH, which has no name before ch_squashfs_finish(). Any failure but of create
 * leaves a writer that can only be closed. */
CH_API int32_t ch_squashfs_create(const char *path, const struct ch_squashfs_settings *settings,
                                  uint64_t *handle, struct ch_error *err);
/* XATTRS: for each a 32-bit length of the value, the key with its NUL, the value. Without fd the
 * data of a file is to follow by append and end_file. */
CH_API int32_t ch_squashfs_add(uint64_t handle, const char *path,
                               const struct ch_squashfs_entry *entry, const char *target,
                               const void *xattrs, struct ch_error *err);
/* All of the directory ROOTFD, itself included, without xattrs; a file with several names is one.
 * In order, each directory before what is in it. */
struct ch_squashfs_tree_options {
    uint32_t keep_owner;     /* else all is root's */
    uint32_t directory_mode; /* bits that directories get in any case */
    int64_t latest;          /* time of what is newer */
};
/* For other threads. */
struct ch_squashfs_tree_state {
    uint64_t bytes; /* of files, until now */
    uint64_t stop;  /* other than 0: the call fails with ECANCELED */
};
/* EXCLUDED: paths that are left out, each with its NUL, and an empty one at the end. A failure
 * whose call begins with "squashfs" is one to write; others are to read a path below ROOTFD. */
CH_API int32_t ch_squashfs_add_tree(uint64_t handle, int32_t rootfd, const char *excluded,
                                    const struct ch_squashfs_tree_options *options,
                                    struct ch_squashfs_tree_state *state, struct ch_error *err);
CH_API int32_t ch_squashfs_append(uint64_t handle, const void *data, uint64_t size,
                                  struct ch_error *err);
CH_API int32_t ch_squashfs_end_file(uint64_t handle, struct ch_error *err);
CH_API int32_t ch_squashfs_finish(uint64_t handle, struct ch_squashfs_counts *counts,
                                  struct ch_error *err);
CH_API int32_t ch_squashfs_close(uint64_t handle);

#endif
