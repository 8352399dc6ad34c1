/* Blocks of data on their way into a SquashFS image: one thread fills them, several compress them,
 * and they are written in the order in which they were filled. So what the image holds does not
 * depend on the number of threads. */
#ifndef CH_SQUASHFS_PIPELINE_H
#define CH_SQUASHFS_PIPELINE_H

#include <sqfs/compressor.h>
#include <sqfs/frag_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <stdint.h>

#include "squashfs_blocks.h"

struct pipeline;

struct pipeline_settings {
    sqfs_file_t *file; /* of the image; written at its end */
    sqfs_compressor_t *compressor;
    sqfs_frag_table_t *fragments;
    const struct keyed_hash *hash;
    uint32_t block_size;
    unsigned workers;
};

/* All return 0 or an error of libsquashfs'. After the first error nothing is written any more. */
int pipeline_new(const struct pipeline_settings *settings, struct pipeline **result);
/* Stops at once; what was not finished is lost. */
void pipeline_free(struct pipeline *p);

/* An empty block, to be filled and submitted. Waits while there are many under way. */
int pipeline_block(struct pipeline *p, struct squashfs_block **block);
/* As a block of tails, with a number. */
int pipeline_tails(struct pipeline *p, struct squashfs_block **block);
/* Otherwise squashfs_block_free(). */
void pipeline_submit(struct pipeline *p, struct squashfs_block *block);
/* Waits until all is written. */
int pipeline_finish(struct pipeline *p);

/* Tells INODE where the end of its file is: in the block of tails INDEX, from OFFSET on. */
void pipeline_set_tail(struct pipeline *p, sqfs_inode_generic_t *inode, uint32_t index,
                       uint32_t offset);
#endif
