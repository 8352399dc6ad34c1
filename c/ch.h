/* The shim's whole surface: what ffi/symbols.ts declares, in the same order, family by family.
 *
 * Conventions. A result >= 0 is the value, < 0 is -errno with details in *ERR. Strings are bytes
 * with a NUL at the end and never UTF-8 by promise. Paths are relative to a directory descriptor
 * wherever they lie in an image. No function prints, keeps global state or leaves a descriptor
 * without O_CLOEXEC. */
#ifndef CH_H
#define CH_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define CH_API __attribute__((visibility("default")))

/* ---- identity.c: users and groups; process.c: init ---- */

#define CH_IDENTITY_GROUPS 1024
struct ch_identity {
    uint32_t uid[3]; /* real, effective, saved */
    uint32_t gid[3];
    uint32_t group_count;
    uint32_t groups[CH_IDENTITY_GROUPS]; /* supplementary; more are left out */
};

CH_API int32_t ch_process_identity(struct ch_identity *identity, struct ch_error *err);
/* Name, GECOS and home as consecutive strings in OUT. Their length; 0 = no such user. */
CH_API int32_t ch_process_find_user(uint32_t uid, char *out, uint32_t cap, struct ch_error *err);
/* Name in OUT. Its length with the NUL; 0 = no such group. */
CH_API int32_t ch_process_find_group(uint32_t gid, char *out, uint32_t cap, struct ch_error *err);
/* Become init with this plan; returns only on failure. CALLER_FD: from the entry code, -1 = none.
 * INIT_PATH is used where the executable carries no init. */
CH_API int32_t ch_process_replace(const void *plan, uint32_t plan_length, int32_t caller_fd,
                                  const char *init_path, struct ch_error *err);
/* The same in a child with these three descriptors as its stdio. Its PID. */
CH_API int32_t ch_process_spawn(const void *plan, uint32_t plan_length, int32_t caller_fd,
                                const char *init_path, const int32_t *stdio, struct ch_error *err);
/* Wait for a child. Its status as of wait(2). */
CH_API int32_t ch_process_wait(int32_t pid, struct ch_error *err);
/* A pipe that children do not inherit: ends for reading and for writing. 0. */
CH_API int32_t ch_process_pipe(int32_t ends[2], struct ch_error *err);

/* ---- Image trees (shim/tree*.c; ffi/tree.ts) ----
 *
 * PATH is relative to the directory DIRFD and never leaves it: no component is followed if it is a
 * symbolic link, ".." and a leading "/" are refused (EINVAL). "" is DIRFD itself, which
 * may then also be a file. */

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

/* Many things in one call (shim/tree_batch.c; ffi/tree_batch.ts). A step has its texts as offsets
 * in TEXTS. NAME is a single component in the directory PARENT, a path below ROOTFD. What is in the
 * way gives way, but a directory. */
enum {
    CH_STEP_ENTER,     /* nothing, but PARENT must be there */
    CH_STEP_DIRECTORY, /* at least u+rwx; one that is there stays */
    CH_STEP_FILE,      /* SIZE bytes at DATA */
    CH_STEP_SYMLINK,
    CH_STEP_NODE,  /* MODE has the type bits; SIZE and OFFSET are the device's numbers */
    CH_STEP_LINK,  /* to the path TARGET below ROOTFD */
    CH_STEP_OPEN,  /* a file, which the next four kinds are about */
    CH_STEP_WRITE, /* SIZE bytes at DATA, to OFFSET */
    CH_STEP_COPY,  /* all SIZE bytes of the descriptor DATA */
    CH_STEP_XATTR, /* the attribute TARGET: SIZE bytes at DATA */
    CH_STEP_CLOSE,
    CH_STEP_RESOLVED = 256, /* added: a PARENT that cannot be opened is a failure */
};
struct ch_tree_step {
    uint64_t data; /* offset in DATA */
    uint64_t size;
    uint64_t offset;
    int64_t mtime;
    uint32_t mtime_nsec;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    uint32_t kind;
    uint32_t parent;
    uint32_t name;
    uint32_t target;
};
/* What the caller has to see to before the batch can go on. */
enum {
    CH_STOP_PARENT = 1, /* PARENT is not there, or not without following links */
    CH_STOP_OCCUPIED,   /* a directory is in the way */
    CH_STOP_TARGET,     /* a hard link that cannot be made just so */
};
struct ch_tree_batch_result {
    uint32_t done; /* so many steps; the next is the one that failed, or needs something */
    uint32_t stop; /* why it went no further, 0 if it is through */
    uint32_t lacks_xattrs;
};
/* OWNED: entries get UID and GID. */
CH_API int32_t ch_tree_batch_open(int32_t rootfd, int32_t owned, uint64_t *handle,
                                  struct ch_error *err);
/* Takes the steps FROM to COUNT. One call at a time. */
CH_API int32_t ch_tree_batch_run(uint64_t handle, const struct ch_tree_step *steps, uint32_t from,
                                 uint32_t count, const char *texts, const void *data,
                                 struct ch_tree_batch_result *result, struct ch_error *err);
/* From any thread: nothing is touched any more when this has returned, also by calls that are still
 * to begin. */
CH_API int32_t ch_tree_batch_cancel(uint64_t handle);
/* When no call is under way. */
CH_API int32_t ch_tree_batch_close(uint64_t handle);

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

/* --- the build cache: c/shim/cache*.c, ffi/cache.ts --------------------------------------------
 *
 * CACHEFD is the cache's directory, with `objects` and `states` in it; the name of a state is its
 * path below `states`. What is wrong with the cache itself is EBADMSG: "read cached state" with the
 * state's name, or "take cached file" with the path in the image. */

#define CH_CACHE_XATTRS 1u /* user.* and POSIX ACLs count */
#define CH_CACHE_PRIVATE                                                                           \
    2u                      /* files may be written to in place: stored and checked out as copies  \
                             */
#define CH_CACHE_OVERLAY 4u /* what is committed is an overlay's upper directory */

struct ch_cache_commit_request {
    int32_t cachefd;
    int32_t workfd; /* a directory on the same file system; the state's file is left in it */
    int32_t fd;     /* the tree, or the upper directory */
    uint32_t flags;
    uint32_t path_count;
    uint32_t since_nsec; /* private trees: files whose status changed before are not read again */
    int64_t since;
    uint64_t large; /* bytes; files of that size and more get a name in LARGEFD as well, 0: none */
    int32_t largefd;
    int32_t reserved;
};
static_assert(sizeof(struct ch_cache_commit_request) == 48, "ffi/cache.ts writes this block");

struct ch_cache_commit_result {
    uint8_t digest[32];   /* of the tree: equal if everything in it is */
    uint8_t identity[32]; /* of a new tree: equal also if only times of directories differ */
    uint8_t trailer[32];  /* to be appended to the file, see c/shim/cache.h */
    uint64_t size;        /* of the file so far */
    uint64_t files_read;
    uint64_t new_objects;
    uint64_t new_bytes; /* in those */
    uint64_t directories_written;
    uint64_t notices; /* bytes used */
};
static_assert(sizeof(struct ch_cache_commit_result) == 144, "ffi/cache.ts reads this block");

/* Stores what became of state PARENT ("" for none) at and below PATHS (path_count of them, each
 * with its NUL; "" is all of the tree). NOTICES gets lines: "p PATH" for a mode that was made
 * sufficient, "s PATH" for a socket and "r PATH" for a file of RPM's that was removed. ENODEV for a
 * device. */
CH_API int32_t ch_cache_commit(const struct ch_cache_commit_request *request, const char *parent,
                               const char *paths, void *notices, uint32_t notices_capacity,
                               struct ch_cache_commit_result *result, struct ch_error *err);
/* TOFD becomes STATE: an empty directory, or one that is at state FROM (""for none). */
CH_API int32_t ch_cache_check_out(int32_t cachefd, const char *state, const char *from,
                                  int32_t tofd, uint32_t flags, struct ch_tree_counts *counts,
                                  struct ch_error *err);

/* Writes a record for everything in STATE to OUTFD, directories before what is in them: struct
 * cache_entry (c/shim/cache.h) with the path in the place of the name. */
CH_API int32_t ch_cache_list(int32_t cachefd, const char *state, int32_t outfd,
                             struct ch_error *err);

struct ch_cache_sweep_result {
    uint64_t kept;
    uint64_t kept_bytes;
    uint64_t removed;
    uint64_t freed; /* bytes on disk */
};
/* Removes the objects that none of STATES (COUNT of them) has. MEASURE: only counts those that one
 * has. */
CH_API int32_t ch_cache_sweep(int32_t cachefd, const char *states, uint32_t count, uint32_t measure,
                              struct ch_cache_sweep_result *result, struct ch_error *err);

struct ch_cache_size {
    uint64_t files; /* directories too */
    uint64_t bytes; /* on disk */
    uint64_t objects;
    uint64_t object_bytes; /* in them */
};
CH_API int32_t ch_cache_measure(int32_t cachefd, struct ch_cache_size *result,
                                struct ch_error *err);

/* --- socket: c/shim/socket.c, ffi/socket.ts
 *
 * Has every TCP connection of this process send at once what there is (TCP_NODELAY): how many did
 * not before. */

CH_API int32_t ch_socket_hurry(struct ch_error *err);

/* --- lock: c/shim/lock.c, ffi/lock.ts
 * ------------------------------------------------------------- */

/* Lock the byte at OFFSET of the file PATH (made if need be), SHARED or for oneself, without
 * waiting: a descriptor that holds the lock, -EAGAIN or -EACCES if another one stands against it.
 */
CH_API int32_t ch_lock_acquire(const char *path, int64_t offset, uint32_t shared,
                               struct ch_error *err);
CH_API int32_t ch_lock_release(int32_t fd, struct ch_error *err);

/* --- digest.c; ffi/sha256.ts ---------------------------------------------------------------------
 *
 * STATE is memory of the caller's, aligned to 8 bytes. Cannot fail. */

#define CH_SHA256_STATE 104

CH_API void ch_sha256_begin(void *state);
CH_API void ch_sha256_add(void *state, const void *data, uint64_t size);
CH_API void ch_sha256_end(void *state, uint8_t digest[32]);

/* --- compression: c/shim/{decoder,compress,input_file}.c, ffi/codec.ts
 * -------------------------------
 */

struct ch_decoder_progress {
    uint64_t consumed; /* bytes of the input used */
    uint64_t produced; /* bytes of output made */
    uint64_t status;   /* 0 wants input, 1 wants room for output, 2 between streams: may end here */
};

/* A decoder of KIND: 1 gzip, 2 bzip2, 3 xz, 4 zstd, 5 lz4. The data of a decoder is run by one call
 * at a time; wrong data is an error without errno whose path is the reason. */
CH_API int32_t ch_decoder_open(int32_t kind, uint64_t *handle, struct ch_error *err);
CH_API int32_t ch_decoder_run(uint64_t handle, const void *in, uint64_t in_size, void *out,
                              uint64_t out_size, struct ch_decoder_progress *progress,
                              struct ch_error *err);
CH_API int32_t ch_decoder_close(uint64_t handle);
/* One piece by itself, of KIND 1 to 4; pieces may follow one another. Levels: gzip 0 to 12, bzip2 1
 * to 9, xz 0 to 9, zstd 1 to 22. */
CH_API int32_t ch_compress_bound(int32_t kind, uint64_t in_size, uint64_t *bound,
                                 struct ch_error *err);
CH_API int32_t ch_compress(int32_t kind, int32_t level, const void *in, uint64_t in_size, void *out,
                           uint64_t out_size, uint64_t *produced, struct ch_error *err);
/* Reading a file of the host from OFFSET on, off the main thread: as many bytes as there are.
 */
CH_API int32_t ch_input_open(const char *path, uint64_t offset, struct ch_error *err);
CH_API int32_t ch_input_read(int32_t fd, void *buffer, uint64_t size, struct ch_error *err);
CH_API int32_t ch_input_close(int32_t fd);

/* --- paths of the host: c/shim/path.c, ffi/path.ts
 * ------------------------------------------------
 *
 * As the caller names them: absolute, or relative to the working directory. Results with text go to
 * BUFFER without a NUL; the value is their length, -ERANGE if CAPACITY is too small. */

/* What becomes of links. CH_LINKS_REFUSE: the path is absolute, and a link on the way to its last
 * component is ELOOP, which is for files of images that somebody else may be changing. */
enum ch_links { CH_LINKS_KEEP = 0, CH_LINKS_FOLLOW = 1, CH_LINKS_REFUSE = 2 };

/* File mode with the type bits; of a link itself unless it is followed. */
CH_API int32_t ch_path_mode(const char *path, int32_t links, struct ch_error *err);
CH_API int32_t ch_path_real(const char *path, char *buffer, uint32_t capacity,
                            struct ch_error *err);
CH_API int32_t ch_path_readlink(const char *path, int32_t links, char *buffer, uint32_t capacity,
                                struct ch_error *err);
/* Inode number, and seconds and nanoseconds of birth, 0 where the file system keeps none; links are
 * followed. */
CH_API int32_t ch_path_identity(const char *path, uint64_t out[3], struct ch_error *err);
/* An extended attribute's value, not of what a link leads to. */
CH_API int32_t ch_path_xattr(const char *path, const char *name, char *buffer, uint32_t capacity,
                             struct ch_error *err);
/* Names in a directory but for "." and "..", each with a NUL behind it, in no order. */
CH_API int32_t ch_path_list(const char *path, char *buffer, uint32_t capacity,
                            struct ch_error *err);
/* For reading, whatever the type; where links are refused, regular files only, else EINVAL. */
CH_API int32_t ch_path_open(const char *path, int32_t links, struct ch_error *err);
/* 0 at the end. PATH is for the error. */
CH_API int32_t ch_path_read(int32_t fd, void *buffer, uint32_t capacity, const char *path,
                            struct ch_error *err);
CH_API int32_t ch_path_close(int32_t fd);

/* --- syslog: c/shim/syslog.c, ffi/syslog.ts
 * -------------------------------------------------------- */

/* One record of facility user, priority info. Without a daemon nothing happens. */
CH_API int32_t ch_syslog_send(const char *tag, const char *text);

/* --- a file that appears when it is complete: c/shim/output_file.c, ffi/output_file.ts -----------
 */

/* If KEEP_EXISTING, commit fails with EEXIST rather than to replace a file. */
CH_API int32_t ch_output_open(const char *path, int32_t keep_existing, uint64_t *handle,
                              struct ch_error *err);
CH_API int32_t ch_output_write(uint64_t handle, const void *data, uint64_t size,
                               struct ch_error *err);
CH_API int32_t ch_output_commit(uint64_t handle, struct ch_error *err);
CH_API int32_t ch_output_close(uint64_t handle);

/* --- writing SquashFS: c/shim/squashfs_writer.c, ffi/squashfs_writer.ts --------------------------
 */

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

/* --- memory files: c/shim/memory_file.c, ffi/memory_file.ts
 * ---------------------------------------- */

/* A file without a name, to take what a child prints. NAME is for /proc. */
CH_API int32_t ch_memory_file_open(const char *name, struct ch_error *err);

/* --- reading SquashFS: c/shim/squashfs_reader.c, ffi/squashfs_reader.ts --------------------------
 */

/* HANDLE is for any thread; errors with errnum 0 mean a damaged image, path is the reason. An inode
 * is known by its reference. */
struct ch_squashfs_image {
    uint64_t handle;
    uint64_t root; /* reference */
    uint64_t bytes_used;
    uint32_t inode_count;
    uint32_t block_size;
};

struct ch_squashfs_inode {
    uint64_t ref;
    uint64_t size;   /* of a file or a symlink's target */
    uint64_t cookie; /* in a listing: to go on behind it */
    uint32_t type;   /* S_IFMT bits */
    uint32_t mode;   /* permission bits */
    uint32_t uid, gid;
    uint32_t time;
    uint32_t number;
    uint32_t links;
    uint32_t major, minor;
    uint32_t has_xattrs;
    uint32_t name_length; /* the name follows, up to the next multiple of 8 */
    uint32_t reserved;
};

CH_API int32_t ch_squashfs_reader_open(const char *path, struct ch_squashfs_image *out,
                                       struct ch_error *err);
CH_API int32_t ch_squashfs_reader_close(uint64_t handle);
/* Decode ahead of reading in THREADS threads. Returns how many there are. */
CH_API int32_t ch_squashfs_reader_start_readahead(uint64_t handle, uint32_t threads);
/* Fills BUFFER with a directory's next entries, each with its name. Returns the bytes used, 0 at
 * the end. CAPACITY: 512 or more. */
CH_API int32_t ch_squashfs_reader_list(uint64_t handle, uint64_t ref, uint64_t cookie, void *buffer,
                                       uint32_t capacity, struct ch_error *err);
/* As in a chroot into the image, symlinks followed. 1 if found, 0 if not. */
CH_API int32_t ch_squashfs_reader_resolve(uint64_t handle, const char *path,
                                          struct ch_squashfs_inode *out, struct ch_error *err);
/* By reference. */
CH_API int32_t ch_squashfs_reader_stat(uint64_t handle, uint64_t ref, struct ch_squashfs_inode *out,
                                       struct ch_error *err);
/* TARGET: 4096 bytes. Returns its length. */
CH_API int32_t ch_squashfs_reader_readlink(uint64_t handle, uint64_t ref, char *target,
                                           struct ch_error *err);
/* For each a 32-bit length of the value, the key with its NUL, the value. Returns the bytes needed;
 * if that is more than CAPACITY, nothing useful is in BUFFER. */
CH_API int32_t ch_squashfs_reader_xattrs(uint64_t handle, uint64_t ref, void *buffer,
                                         uint32_t capacity, struct ch_error *err);
/* Returns the bytes read, fewer than SIZE only at the end of the file. */
CH_API int32_t ch_squashfs_reader_read(uint64_t handle, uint64_t ref, uint64_t offset, void *buffer,
                                       uint32_t size, struct ch_error *err);

#endif
