/* Image trees: c/shim/tree*.c, ffi/tree*.ts.
 *
 * PATH is relative to the directory DIRFD and never leaves it: no component is followed if it is a
 * symbolic link, ".." and a leading "/" are refused (EINVAL). "" is DIRFD itself, which
 * may then also be a file. */
#ifndef CH_API_TREE_H
#define CH_API_TREE_H

#include "base.h"

struct ch_stat {
    uint64_t dev;
    uint64_t ino;
    uint64_t size;
    int64_t mtime;
    int64_t ctime;
    uint32_t mtime_nsec;
    uint32_t ctime_nsec;
    uint32_t mode; /* with the type bits */
    uint32_t nlink;
    uint32_t uid;
    uint32_t gid;
    uint32_t rdev_major;
    uint32_t rdev_minor;
};
static_assert(sizeof(struct ch_stat) == 72, "ffi/tree.ts reads this block");

/* A listing is a row of these, each followed by the name and a NUL, padded to 8 bytes. */
struct ch_list_entry {
    struct ch_stat stat;
    uint32_t record_size; /* distance to the next record */
    uint32_t name_size;   /* without the NUL */
};
static_assert(sizeof(struct ch_list_entry) == 80, "ffi/tree.ts reads this block");

/* What a call that fills a buffer says of it; NEEDED > the capacity: nothing was filled in. */
struct ch_filled {
    uint64_t count;
    uint64_t needed;
};

/* Open. The first takes a path of the host's and follows links. */
CH_API int32_t ch_tree_open_root(const char *path, struct ch_error *err);
CH_API int32_t ch_tree_open_directory(int32_t dirfd, const char *path, struct ch_error *err);
/* For reading, regular files only (else EINVAL; EISDIR, ELOOP where that is the reason). */
CH_API int32_t ch_tree_open_file(int32_t dirfd, const char *path, uint64_t *size,
                                 struct ch_error *err);
CH_API int32_t ch_tree_close(int32_t fd, struct ch_error *err);

/* Look. Listings are sorted by the bytes of the names. */
CH_API int32_t ch_tree_list(int32_t dirfd, void *buffer, uint32_t capacity,
                            struct ch_filled *filled, struct ch_error *err);
CH_API int32_t ch_tree_stat(int32_t dirfd, const char *path, struct ch_stat *out,
                            struct ch_error *err);
/* Result: length of the target, which has no NUL at its end. */
CH_API int32_t ch_tree_readlink(int32_t dirfd, const char *path, char *buffer, uint32_t capacity,
                                struct ch_error *err);

/* Make. Nothing existing is replaced (EEXIST); modes do not depend on the umask. */
CH_API int32_t ch_tree_create(int32_t dirfd, const char *path, uint32_t mode, struct ch_error *err);
CH_API int32_t ch_tree_mkdir(int32_t dirfd, const char *path, uint32_t mode, struct ch_error *err);
CH_API int32_t ch_tree_symlink(const char *target, int32_t dirfd, const char *path,
                               struct ch_error *err);
CH_API int32_t ch_tree_link(int32_t fromfd, const char *from, int32_t dirfd, const char *path,
                            struct ch_error *err);
/* A whole file in one call: create, write, mode, time. */
CH_API int32_t ch_tree_put(int32_t dirfd, const char *path, const void *data, uint32_t size,
                           uint32_t mode, int64_t mtime, uint32_t mtime_nsec, struct ch_error *err);

/* Change. Links themselves, never what they point to. */
CH_API int32_t ch_tree_chmod(int32_t dirfd, const char *path, uint32_t mode, struct ch_error *err);
CH_API int32_t ch_tree_chown(int32_t dirfd, const char *path, uint32_t uid, uint32_t gid,
                             struct ch_error *err);
CH_API int32_t ch_tree_set_mtime(int32_t dirfd, const char *path, int64_t mtime,
                                 uint32_t mtime_nsec, struct ch_error *err);
CH_API int32_t ch_tree_unlink(int32_t dirfd, const char *path, struct ch_error *err);
CH_API int32_t ch_tree_rmdir(int32_t dirfd, const char *path, struct ch_error *err);
/* FLAGS: 0, or 1: fail with EEXIST where TO exists, or 2: exchange the two. */
CH_API int32_t ch_tree_rename(int32_t fromfd, const char *from, int32_t tofd, const char *to,
                              uint32_t flags, struct ch_error *err);

/* Extended attributes; symbolic links have none. A listing is a row of
 * { uint32 name size, uint32 value size, name, value }. */
CH_API int32_t ch_tree_get_xattrs(int32_t dirfd, const char *path, void *buffer, uint32_t capacity,
                                  struct ch_filled *filled, struct ch_error *err);
CH_API int32_t ch_tree_set_xattr(int32_t dirfd, const char *path, const char *name,
                                 const void *value, uint32_t size, struct ch_error *err);

/* Bytes of open files. Read: result 0 is the end; offset -1: the current position. */
CH_API int32_t ch_tree_read(int32_t fd, void *buffer, uint32_t size, int64_t offset,
                            struct ch_error *err);
CH_API int32_t ch_tree_write(int32_t fd, const void *data, uint32_t size, int64_t offset,
                             struct ch_error *err);
/* Sets size (leaving holes), mode and time. */
CH_API int32_t ch_tree_finish_file(int32_t fd, uint64_t size, uint32_t mode, int64_t mtime,
                                   uint32_t mtime_nsec, struct ch_error *err);
/* SIZE bytes from the start of FROM to the start of TO, as a reflink where it can be had; holes
 * stay holes. EIO if FROM has become shorter than SIZE. */
CH_API int32_t ch_tree_copy_data(int32_t fromfd, int32_t tofd, uint64_t size, struct ch_error *err);

/* Where PATH leads for a process that has ROOTFD as its root: links followed, ".." stays inside.
 * The canonical path goes to BUFFER. FLAGS: 1: follow a link as the last component; 2: what is
 * missing is taken for directories to be made. Result: 0 there is something, 1 there is not (only
 * with 2). */
CH_API int32_t ch_tree_resolve(int32_t rootfd, const char *path, uint32_t flags, char *buffer,
                               uint32_t capacity, struct ch_filled *filled, struct ch_error *err);

/* Whole trees. TOFD is an empty directory, which gets mode and times of FROMFD as well. */
struct ch_tree_counts {
    uint64_t directories;
    uint64_t files;
    uint64_t links;  /* symbolic */
    uint64_t others; /* FIFOs, sockets, devices made or linked */
    uint64_t skipped_devices;
    uint64_t skipped_fifos;
    uint64_t skipped_sockets;
    uint64_t removed; /* by whiteouts and replacement; overlay only */
};
static_assert(sizeof(struct ch_tree_counts) == 64, "ffi/tree.ts reads this block");

#define CH_TREE_SKIP_DEVICES 1u
#define CH_TREE_SKIP_FIFOS 2u
#define CH_TREE_SKIP_SOCKETS 4u
#define CH_TREE_XATTRS 8u         /* user.* and POSIX ACLs */
#define CH_TREE_OWNER 16u         /* uid and gid */
#define CH_TREE_DIRECTORY_RWX 32u /* u+rwx on directories */

/* Hard links to every file; where the file system refuses one, a copy. FLAGS: XATTRS, OWNER for
 * directories and copies. */
CH_API int32_t ch_tree_link_tree(int32_t fromfd, int32_t tofd, uint32_t flags,
                                 struct ch_tree_counts *counts, struct ch_error *err);
CH_API int32_t ch_tree_copy_tree(int32_t fromfd, int32_t tofd, uint32_t flags,
                                 struct ch_tree_counts *counts, struct ch_error *err);
/* PATH with all below it. Stays on its mount: EXDEV naming the mount point otherwise. Absent: 0. */
CH_API int32_t ch_tree_remove_tree(int32_t dirfd, const char *path, struct ch_error *err);
/* Merges the upper directory of an overlay file system (option userxattr) into the tree it lay on.
 * The upper directory is left empty. */
CH_API int32_t ch_tree_apply_overlay(int32_t upperfd, int32_t imagefd,
                                     struct ch_tree_counts *counts, struct ch_error *err);

#endif
