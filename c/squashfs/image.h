/* The inside of an open image, for the files of this folder only. */
#ifndef SQ_IMAGE_H
#define SQ_IMAGE_H

#include <pthread.h>
#include <stdlib.h>

#include "block_cache.h"
#include "decompressor.h"
#include "format.h"
#include "reader.h"

/* return SQ_BAD(err, "reason"): the image is damaged. */
#define SQ_BAD(err, ...) ch_error_set((err), 0, __FILE__, __LINE__, "SquashFS", __VA_ARGS__)

/* Always with "= {0}": a return before sq_cursor_open() releases it as well. */
#define SQ_AUTO_CURSOR __attribute__((cleanup(sq_cursor_release)))

/* Where a file's block number CHUNK * SQ_CHUNK lies; see block_list.c. */
#define SQ_CHUNK 1024
#define SQ_CHECKPOINTS 256
struct sq_checkpoint {
    uint64_t file; /* inode reference + 1, 0 = unused */
    uint64_t chunk;
    uint64_t disk;
    struct sq_place sizes;
};

/* A table of fixed-size entries in metadata blocks, found through an array of their places. */
struct sq_table {
    uint64_t *blocks;
    uint32_t count; /* entries */
    uint32_t entry_size;
    uint64_t end;
};

struct sq {
    int fd;
    struct sq_info info;
    uint64_t inode_table, inode_end;
    uint64_t directory_table, directory_end;
    uint64_t xattr_start, xattr_end;
    uint32_t *ids;
    uint32_t id_count;
    struct sq_table fragments;
    struct sq_table xattrs;
    struct sq_decompressor *decompressor;
    struct sq_block_cache *metadata, *data;
    uint8_t *zeros; /* one block */
    pthread_mutex_t checkpoint_lock;
    struct sq_checkpoint checkpoints[SQ_CHECKPOINTS];
    struct sq_readahead *readahead;
};

/* --- metadata.c --- */

/* SIZE bytes at PLACE on disk; fewer are a damaged image. */
int sq_pread(struct sq *image, void *buffer, size_t size, uint64_t place, struct ch_error *err);
void sq_cursor_open(struct sq_cursor *cursor, struct sq *image, struct sq_place place,
                    uint64_t end);
void sq_cursor_release(struct sq_cursor *cursor);
/* BUFFER NULL: skip. */
int sq_cursor_read(struct sq_cursor *cursor, void *buffer, size_t size, struct ch_error *err);
/* Goes on to the next block if it stands behind the last byte of one. A block that cannot be read
 * is the end as well. */
bool sq_cursor_at_end(struct sq_cursor *cursor);

/* --- table.c --- */

/* Reads the array of places at PLACE. END: of what the metadata blocks may occupy. */
int sq_table_open(struct sq *image, struct sq_table *table, const char *name, uint64_t place,
                  uint32_t count, uint32_t entry_size, struct ch_error *err);
int sq_table_read(struct sq *image, const struct sq_table *table, uint32_t index, void *entry,
                  struct ch_error *err);
int sq_ids_read(struct sq *image, uint64_t place, uint32_t count, struct ch_error *err);

/* --- block_list.c --- */

struct sq_extent {
    uint64_t disk;
    uint32_t size; /* with SQ_BLOCK_RAW */
};

struct sq_block_list {
    struct sq_cursor sizes;
    uint64_t disk;
    uint64_t index;  /* of the next block */
    uint64_t blocks; /* in the list */
};

/* Before block INDEX. Close whatever it returned. */
int sq_block_list_open(struct sq *image, const struct sq_inode *inode, uint64_t index,
                       struct sq_block_list *list, struct ch_error *err);
int sq_block_list_next(struct sq_block_list *list, struct sq_extent *out, struct ch_error *err);
void sq_block_list_close(struct sq_block_list *list);

/* --- data.c --- */

int sq_extent_get(struct sq *image, struct sq_extent extent, struct sq_block **out,
                  struct ch_error *err);
int sq_fragment_read(struct sq *image, uint32_t index, struct sq_extent *out, struct ch_error *err);

/* --- readahead.c --- */

/* Decode it some time soon, if threads are there and it isn't known. */
void sq_readahead_add(struct sq *image, struct sq_extent extent);
void sq_readahead_stop(struct sq *image);

#endif
