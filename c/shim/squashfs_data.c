/* See squashfs_data.h. Bytes are put right where they are compressed from. */
#include "squashfs_data.h"

#include <sqfs/error.h>
#include <stdlib.h>
#include <string.h>

#include "known_data.h"
#include "squashfs_pipeline.h"

#define NO_INDEX UINT32_MAX

struct squashfs_data {
    uint32_t block_size;
    struct pipeline *pipeline;
    uint64_t bytes;

    /* The file at hand. */
    sqfs_inode_generic_t *inode;
    uint64_t missing;
    uint32_t block_index, block_count; /* full ones */
    struct squashfs_block *block;      /* NULL: not begun */
    uint8_t *tail;
    uint32_t tail_size, tail_filled;

    /* The block that tails go to; NULL: none. One that has no room is full only when a tail is
     * known to be new: until then that is in SPILLED. */
    struct squashfs_block *tails;
    uint8_t *spilled;
    uint32_t tails_used;
    struct known_data known; /* tails: index of the block and offset in it */
    const struct keyed_hash *hash;
};

int squashfs_data_new(const struct squashfs_data_settings *settings, struct squashfs_data **result)
{
    struct squashfs_data *d = calloc(1, sizeof(*d));
    int code;

    if (d == NULL)
        return SQFS_ERROR_ALLOC;
    const struct pipeline_settings pipeline = {
        .file = settings->file,
        .compressor = settings->compressor,
        .fragments = settings->fragments,
        .hash = settings->hash,
        .block_size = settings->block_size,
        .workers = settings->workers,
    };
    d->block_size = settings->block_size;
    d->hash = settings->hash;
    d->spilled = malloc(settings->block_size);
    code = d->spilled == NULL ? SQFS_ERROR_ALLOC : pipeline_new(&pipeline, &d->pipeline);
    if (code != 0)
        squashfs_data_free(d);
    else
        *result = d;
    return code;
}

void squashfs_data_free(struct squashfs_data *d)
{
    if (d == NULL)
        return;
    pipeline_free(d->pipeline);
    squashfs_block_free(d->block);
    squashfs_block_free(d->tails);
    known_data_free(&d->known);
    free(d->spilled);
    free(d);
}

int squashfs_data_begin(struct squashfs_data *d, uint64_t size, sqfs_inode_generic_t **inode)
{
    uint64_t blocks = size / d->block_size;
    sqfs_inode_generic_t *made;

    if (blocks > UINT32_MAX / sizeof(sqfs_u32))
        return SQFS_ERROR_OVERFLOW;
    made = calloc(1, sizeof(*made) + blocks * sizeof(sqfs_u32));
    if (made == NULL)
        return SQFS_ERROR_ALLOC;
    made->base.type = SQFS_INODE_FILE;
    made->payload_bytes_available = made->payload_bytes_used =
        (sqfs_u32)(blocks * sizeof(sqfs_u32));
    sqfs_inode_set_file_size(made, size);
    sqfs_inode_set_frag_location(made, NO_INDEX, NO_INDEX);
    d->inode = *inode = made;
    d->missing = size;
    d->bytes += size;
    d->block_index = 0;
    d->block_count = (uint32_t)blocks;
    d->tail_size = (uint32_t)(size % d->block_size);
    d->tail_filled = 0;
    return 0;
}

uint64_t squashfs_data_missing(const struct squashfs_data *d)
{
    return d->missing;
}

uint64_t squashfs_data_bytes(const struct squashfs_data *d)
{
    return d->bytes;
}

static void submit_tails(struct squashfs_data *d)
{
    d->tails->size = d->tails_used;
    pipeline_submit(d->pipeline, d->tails);
    d->tails = NULL;
}

static int begin_tails(struct squashfs_data *d)
{
    d->tails_used = 0;
    return pipeline_tails(d->pipeline, &d->tails);
}

static int begin_tail(struct squashfs_data *d)
{
    int code = d->tails == NULL ? begin_tails(d) : 0;

    if (code != 0)
        return code;
    d->tail =
        d->tails_used + d->tail_size <= d->block_size ? d->tails->data + d->tails_used : d->spilled;
    return 0;
}

int squashfs_data_room(struct squashfs_data *d, uint8_t **at, size_t *room)
{
    int code = 0;

    *room = 0;
    if (d->missing == 0)
        return 0;
    if (d->block_index < d->block_count) {
        if (d->block == NULL)
            code = pipeline_block(d->pipeline, &d->block);
        if (code != 0)
            return code;
        *at = d->block->data + d->block->size;
        *room = d->block_size - d->block->size;
        return 0;
    }
    if (d->tail_filled == 0)
        code = begin_tail(d);
    if (code != 0)
        return code;
    *at = d->tail + d->tail_filled;
    *room = d->tail_size - d->tail_filled;
    return 0;
}

static void submit_block(struct squashfs_data *d)
{
    d->block->inode = d->inode;
    d->block->index = d->block_index++;
    d->block->last = d->block_index == d->block_count;
    pipeline_submit(d->pipeline, d->block);
    d->block = NULL;
}

/* The tail is new: it stays. */
static int keep_tail(struct squashfs_data *d)
{
    int code;

    if (d->tail == d->spilled) {
        submit_tails(d);
        code = begin_tails(d);
        if (code != 0)
            return code;
        memcpy(d->tails->data, d->spilled, d->tail_size);
    }
    d->tails_used += d->tail_size;
    return 0;
}

static int end_tail(struct squashfs_data *d)
{
    struct keyed_digest digest = keyed_hash_data(d->hash, d->tail, d->tail_size);
    uint64_t place;

    if (!known_data_find(&d->known, digest, d->tail_size, &place)) {
        int code = keep_tail(d);
        if (code != 0)
            return code;
        place = (uint64_t)d->tails->index << 32 | (d->tails_used - d->tail_size);
        known_data_add(&d->known, digest, d->tail_size, place);
    }
    pipeline_set_tail(d->pipeline, d->inode, (uint32_t)(place >> 32), (uint32_t)place);
    return 0;
}

int squashfs_data_filled(struct squashfs_data *d, size_t size)
{
    d->missing -= size;
    if (d->block_index < d->block_count) {
        d->block->size += (uint32_t)size;
        if (d->block->size == d->block_size)
            submit_block(d);
        return 0;
    }
    d->tail_filled += (uint32_t)size;
    return d->tail_filled == d->tail_size ? end_tail(d) : 0;
}

int squashfs_data_finish(struct squashfs_data *d)
{
    if (d->tails != NULL && d->tails_used > 0)
        submit_tails(d);
    return pipeline_finish(d->pipeline);
}
