/* Reading SquashFS: c/shim/squashfs_reader.c, ffi/squashfs_reader.ts. */
#ifndef CH_API_SQUASHFS_READER_H
#define CH_API_SQUASHFS_READER_H

#include "base.h"

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
