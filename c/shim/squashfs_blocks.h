/* Blocks of data of a SquashFS image: compressing one, and writing them one after the other. The
 * blocks of a file that are all in the image already are not stored again. */
#ifndef CH_SQUASHFS_BLOCKS_H
#define CH_SQUASHFS_BLOCKS_H

#include <sqfs/compressor.h>
#include <sqfs/frag_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <stdbool.h>
#include <stdint.h>

#include "keyed_hash.h"
#include "known_data.h"

/* Made by squashfs_block_new(), filled with SIZE bytes from DATA on. */
struct squashfs_block {
    uint8_t *data; /* as many bytes as a block of the image has */
    uint32_t size;
    sqfs_inode_generic_t
        *inode;     /* NULL: tails of files, of which the image knows as number INDEX */
    uint32_t index; /* in the file's list of blocks */
    bool last;      /* full block of the file */
    /* Of squashfs_block_compress(). */
    uint8_t *packed;
    struct keyed_digest digest;
    uint32_t stored; /* bytes, and the format's flag; 0: nothing but zeros */
    /* Of the pipeline. */
    struct squashfs_block *next;
    bool done;
};

/* Where blocks go. The first four are set by the owner, the rest is 0. */
struct squashfs_blocks {
    sqfs_file_t *file; /* of the image; written from AT on */
    sqfs_frag_table_t *fragments;
    const struct keyed_hash *hash;
    uint64_t at;
    uint64_t file_start;
    struct keyed_digest file_digest;
    struct known_data files; /* their blocks: where they begin in the image */
};

/* NULL without memory. */
struct squashfs_block *squashfs_block_new(uint32_t block_size);
void squashfs_block_free(struct squashfs_block *block);

/* These return 0 or an error of libsquashfs'. */

/* Several threads may compress, each with a COMPRESSOR of its own. */
int squashfs_block_compress(struct squashfs_block *block, sqfs_compressor_t *compressor,
                            const struct keyed_hash *hash, uint32_t block_size);
/* Puts a compressed block into the image. *START: where it is, or, for the last one of a file,
 * where the file's blocks are. */
int squashfs_blocks_write(struct squashfs_blocks *blocks, const struct squashfs_block *block,
                          uint64_t *start);
/* Tells the inode or the list of blocks of tails about a block that was written. */
int squashfs_blocks_record(struct squashfs_blocks *blocks, const struct squashfs_block *block,
                           uint64_t start);
void squashfs_blocks_free(struct squashfs_blocks *blocks);

#endif
