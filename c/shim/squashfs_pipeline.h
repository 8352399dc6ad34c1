/* Blocks of data on their way into a SquashFS image: one thread fills them, several compress them,
 * and they are written in the order in which they were filled. So what the image holds does not
 * depend on the number of threads. */
#ifndef CH_SQUASHFS_PIPELINE_H
#define CH_SQUASHFS_PIPELINE_H

#include <sqfs/compressor.h>
#include <sqfs/frag_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <stdbool.h>
#include <stdint.h>

struct pipeline;

struct pipeline_settings {
    sqfs_file_t *file; /* of the image; written at its end, read for comparison */
    sqfs_compressor_t *compressor;
    sqfs_frag_table_t *fragments;
    uint32_t block_size;
    unsigned workers;
};

/* To be filled with SIZE bytes from DATA on, and submitted. */
struct pipeline_block {
    uint8_t *data; /* as many bytes as a block of the image has */
    uint32_t size;
    sqfs_inode_generic_t
        *inode;     /* NULL: tails of files, of which the image knows as number INDEX */
    uint32_t index; /* in the file's list of blocks */
    bool last;      /* full block of the file */
    /* The pipeline's own. */
    struct pipeline_block *next;
    uint8_t *packed;
    uint64_t digest; /* of what is stored; no proof of anything */
    uint32_t stored; /* bytes, and the format's flag */
    bool done;
};

/* All return 0 or an error of libsquashfs'. After the first error nothing is written any more. */
int pipeline_new(const struct pipeline_settings *settings, struct pipeline **result);
/* Stops at once; what was not finished is lost. */
void pipeline_free(struct pipeline *p);

/* An empty block. Waits while there are many under way. */
int pipeline_block(struct pipeline *p, struct pipeline_block **block);
/* As a block of tails, with a number. */
int pipeline_tails(struct pipeline *p, struct pipeline_block **block);
/* Of one that is not submitted. */
void pipeline_discard(struct pipeline_block *block);
void pipeline_submit(struct pipeline *p, struct pipeline_block *block);
/* Waits until all is written. */
int pipeline_finish(struct pipeline *p);

/* Tells INODE where the end of its file is: in the block of tails INDEX, from OFFSET on. */
void pipeline_set_tail(struct pipeline *p, sqfs_inode_generic_t *inode, uint32_t index,
                       uint32_t offset);
/* What the block of tails INDEX, submitted before, holds: a copy of SIZE bytes from OFFSET on, if
 * it is still under way: then true. Else WHERE tells where it is in the image. */
bool pipeline_peek(struct pipeline *p, uint32_t index, uint32_t offset, void *copy, uint32_t size,
                   sqfs_fragment_t *where);

#endif
