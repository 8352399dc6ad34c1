/* Reading SquashFS 4.0 images: our own reader, thread-safe, made for images nobody vouches for.
 *
 * Every function returns < 0 (-errno) with details in *ERR when it fails. A damaged image is -EIO
 * with err->errnum 0, call "SquashFS" and the reason in err->path. Whatever the image holds, no
 * call reads or writes out of bounds, runs without end or allocates more than the image's size
 * justifies. */
#ifndef SQ_READER_H
#define SQ_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct sq;       /* an open image */
struct sq_block; /* a decoded block, shared */

#define SQ_NONE UINT32_MAX
#define SQ_SYMLINK_MAX 4095 /* bytes of a target: what Linux can make and FUSE can carry */

/* The types of directory entries; an inode's "extended" type is folded into the basic one. */
enum sq_type {
    SQ_DIRECTORY = 1,
    SQ_FILE = 2,
    SQ_SYMLINK = 3,
    SQ_BLOCK_DEVICE = 4,
    SQ_CHAR_DEVICE = 5,
    SQ_FIFO = 6,
    SQ_SOCKET = 7,
};

struct sq_info {
    uint64_t root; /* inode reference */
    uint64_t bytes_used;
    uint32_t inode_count;
    uint32_t block_size;
    bool has_xattrs;
};

/* A place in a chain of metadata blocks. */
struct sq_place {
    uint64_t block;  /* on disk */
    uint32_t offset; /* in the decoded block */
};

struct sq_inode {
    uint64_t ref;
    enum sq_type type;
    uint16_t mode; /* with S_IFMT */
    uint32_t uid, gid;
    uint32_t mtime;
    uint32_t number;
    uint32_t links;
    uint32_t rdev;  /* as new_encode_dev() of Linux */
    uint32_t xattr; /* index, or SQ_NONE */
    bool extended;  /* the longer form on disk */
    uint64_t size;  /* of a file or a symlink's target; of a directory's listing */
    uint64_t holes; /* bytes of a file that take no space */

    uint64_t start;    /* file: first data block on disk */
    uint32_t fragment; /* file: where its tail is, or SQ_NONE */
    uint32_t fragment_offset;
    uint32_t parent;        /* directory: inode number */
    uint32_t index_count;   /* directory */
    struct sq_place list;   /* directory: its listing */
    struct sq_place behind; /* what follows the inode: block sizes, target, directory index */
};

/* Takes FD over on success. Checks what can be checked without reading the whole image; a truncated
 * file is refused. */
int sq_open(int fd, struct sq **out, struct ch_error *err);
void sq_close(struct sq *image);
const struct sq_info *sq_info(const struct sq *image);

/* Decode ahead of sequential readers in THREADS threads of the image's own, which end with it. Call
 * it after fork(). Returns the number started. */
int sq_start_readahead(struct sq *image, unsigned threads);

int sq_inode_read(struct sq *image, uint64_t ref, struct sq_inode *out, struct ch_error *err);
/* The inode stored behind INODE, which OUT may be. 1, or 0 if INODE is the last. */
int sq_inode_following(struct sq *image, const struct sq_inode *inode, struct sq_inode *out,
                       struct ch_error *err);
/* TARGET gets inode->size bytes and a NUL, SQ_SYMLINK_MAX + 1 at most. */
int sq_readlink(struct sq *image, const struct sq_inode *inode, char *target, struct ch_error *err);
/* 1 and *REF if found, 0 if not. */
int sq_lookup(struct sq *image, const struct sq_inode *dir, const char *name, size_t length,
              uint64_t *ref, struct ch_error *err);
/* As in a chroot into the image: "/" and ".." never leave it, symlinks are followed. 1 if found. */
int sq_resolve(struct sq *image, const char *path, struct sq_inode *out, struct ch_error *err);

/* --- directories --- */

struct sq_cursor {
    struct sq *image;
    struct sq_place place;
    uint64_t end; /* of the table on disk */
    struct sq_block *held;
};

struct sq_dir {
    struct sq_cursor cursor;
    uint64_t table; /* what inode references are relative to: block of the run below */
    uint32_t length, consumed;
    uint32_t run_at, run_count, run_index, run_block, run_number;
};

struct sq_dirent {
    uint64_t ref;
    uint64_t cookie; /* to go on behind this entry */
    uint32_t number;
    enum sq_type type;
    uint32_t length;
    char name[256]; /* NUL behind; never empty, ".", "..", nor with a "/" */
};

/* COOKIE: 0 or that of an entry read before. Close whatever it returned. */
int sq_dir_open(struct sq *image, const struct sq_inode *inode, uint64_t cookie, struct sq_dir *dir,
                struct ch_error *err);
int sq_dir_next(struct sq_dir *dir, struct sq_dirent *out,
                struct ch_error *err); /* 1, 0 at the end */
void sq_dir_close(struct sq_dir *dir);

/* --- file content --- */

struct sq_span {
    const uint8_t *data;
    size_t size;
    struct sq_block *block; /* NULL: zeros */
};

/* Finds the bytes [OFFSET, OFFSET + LENGTH) of a file without copying them: fills SPANS and returns
 * how many; less than asked only at the end of the file or of SPANS. Release them after use. */
int sq_map(struct sq *image, const struct sq_inode *inode, uint64_t offset, size_t length,
           struct sq_span *spans, int count, struct ch_error *err);
void sq_unmap(struct sq *image, struct sq_span *spans, int count);
/* Number of bytes read, less than LENGTH only at the end of the file. LENGTH at most INT32_MAX. */
int sq_read(struct sq *image, const struct sq_inode *inode, uint64_t offset, void *buffer,
            size_t length, struct ch_error *err);

/* --- extended attributes --- */

#define SQ_XATTR_NAME_MAX 255
#define SQ_XATTR_SIZE_MAX 65536

struct sq_xattrs {
    struct sq_cursor cursor;
    uint32_t left;
};

struct sq_xattr {
    char name[SQ_XATTR_NAME_MAX + 1]; /* with "user." etc. and a NUL */
    uint32_t length;
    uint32_t size; /* of the value, SQ_XATTR_SIZE_MAX at most */
    struct sq_place value;
};

int sq_xattrs_open(struct sq *image, const struct sq_inode *inode, struct sq_xattrs *list,
                   struct ch_error *err);
int sq_xattrs_next(struct sq_xattrs *list, struct sq_xattr *out, struct ch_error *err); /* 1, 0 */
int sq_xattr_value(struct sq *image, const struct sq_xattr *xattr, void *value,
                   struct ch_error *err);
void sq_xattrs_close(struct sq_xattrs *list);

#endif
