/* See squashfs_data.h. Bytes are put right where they are compressed from. */
#include "squashfs_data.h"

#include <libdeflate.h>
#include <sqfs/block.h>
#include <sqfs/error.h>
#include <stdlib.h>
#include <string.h>

#include "known_data.h"
#include "squashfs_pipeline.h"

#define NO_INDEX UINT32_MAX

struct squashfs_data {
    struct squashfs_data_settings set;
    struct pipeline *pipeline;
    uint64_t bytes;

    /* The file at hand. */
    sqfs_inode_generic_t *inode;
    uint64_t missing;
    uint32_t block_index, block_count; /* full ones */
    struct pipeline_block *block;      /* NULL: not begun */
    uint8_t *tail;
    uint32_t tail_size, tail_filled;

    /* The block that tails go to; NULL: none. One that has no room is full only when a tail is
     * known to be new: until then that is in SPILLED. */
    struct pipeline_block *tails;
    uint8_t *spilled;
    uint32_t tails_used;
    struct known_data known; /* tails: index of the block and offset in it */

    /* Room to look at tails in blocks gone. */
    uint8_t *peeked, *packed, *expanded;
    uint32_t expanded_index, expanded_size;
};

int squashfs_data_new(const struct squashfs_data_settings *settings, struct squashfs_data **result)
{
    const struct pipeline_settings pipeline = {
        .file = settings->file,
        .compressor = settings->compressor,
        .fragments = settings->fragments,
        .block_size = settings->block_size,
        .workers = settings->workers,
    };
    struct squashfs_data *d = calloc(1, sizeof(*d));
    int code;

    if (d == NULL)
        return SQFS_ERROR_ALLOC;
    d->set = *settings;
    d->expanded_index = NO_INDEX;
    d->spilled = malloc(settings->block_size);
    d->peeked = malloc(settings->block_size);
    d->packed = malloc(settings->block_size);
    d->expanded = malloc(settings->block_size);
    code = !d->spilled || !d->peeked || !d->packed || !d->expanded
               ? SQFS_ERROR_ALLOC
               : pipeline_new(&pipeline, &d->pipeline);
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
    pipeline_discard(d->block);
    pipeline_discard(d->tails);
    known_data_free(&d->known);
    free(d->spilled);
    free(d->peeked);
    free(d->packed);
    free(d->expanded);
    free(d);
}

int squashfs_data_begin(struct squashfs_data *d, uint64_t size, sqfs_inode_generic_t **inode)
{
    uint64_t blocks = size / d->set.block_size;
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
    d->tail_size = (uint32_t)(size % d->set.block_size);
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
    d->tail = d->tails_used + d->tail_size <= d->set.block_size ? d->tails->data + d->tails_used
                                                                : d->spilled;
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
        *room = d->set.block_size - d->block->size;
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

/* The block of tails INDEX, which is in the image at WHERE. */
static bool expand_tails(struct squashfs_data *d, uint32_t index, const sqfs_fragment_t *where)
{
    uint32_t size = SQFS_ON_DISK_BLOCK_SIZE(where->size);
    uint8_t *to = SQFS_IS_BLOCK_COMPRESSED(where->size) ? d->packed : d->expanded;
    sqfs_s32 expanded = (sqfs_s32)size;

    d->expanded_index = NO_INDEX;
    if (size == 0 || size > d->set.block_size ||
        d->set.file->read_at(d->set.file, where->start_offset, to, size) != 0)
        return false;
    if (to == d->packed)
        expanded = d->set.decompressor->do_block(d->set.decompressor, d->packed, size, d->expanded,
                                                 d->set.block_size);
    if (expanded <= 0)
        return false;
    d->expanded_index = index;
    d->expanded_size = (uint32_t)expanded;
    return true;
}

/* Whether the tail at PLACE is the one just filled. */
static bool is_this_tail(void *context, uint64_t place)
{
    struct squashfs_data *d = context;
    uint32_t index = (uint32_t)(place >> 32), offset = (uint32_t)place;
    sqfs_fragment_t where = {0};

    if (index == d->tails->index)
        return memcmp(d->tail, d->tails->data + offset, d->tail_size) == 0;
    if (index != d->expanded_index) {
        if (pipeline_peek(d->pipeline, index, offset, d->peeked, d->tail_size, &where))
            return memcmp(d->tail, d->peeked, d->tail_size) == 0;
        if (!expand_tails(d, index, &where))
            return false;
    }
    return offset + d->tail_size <= d->expanded_size &&
           memcmp(d->tail, d->expanded + offset, d->tail_size) == 0;
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
    uint64_t digest = (uint64_t)libdeflate_crc32(0, d->tail, d->tail_size) << 32 |
                      libdeflate_adler32(1, d->tail, d->tail_size);
    uint64_t place;

    if (!known_data_find(&d->known, digest, d->tail_size, is_this_tail, d, &place)) {
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
        if (d->block->size == d->set.block_size)
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
