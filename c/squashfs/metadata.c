/* Metadata: chains of blocks, each two bytes of size (top bit: stored raw) and up to 8 KiB once
 * decoded. A cursor reads on from block to block and keeps hold of the one it is in. */
#include "image.h"

#include <unistd.h>

int sq_pread(struct sq *image, void *buffer, size_t size, uint64_t place, struct ch_error *err)
{
    uint8_t *at = buffer;

    if (place > image->info.bytes_used || size > image->info.bytes_used - place)
        return SQ_BAD(err, "%zu bytes at %llu are beyond the end", size, (unsigned long long)place);
    while (size > 0) {
        ssize_t n = pread(image->fd, at, size, (off_t)place);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return CH_FAIL(err, "pread", "%zu bytes at %llu", size, (unsigned long long)place);
        if (n == 0)
            return SQ_BAD(err, "truncated at %llu", (unsigned long long)place);
        at += n;
        place += (uint64_t)n;
        size -= (size_t)n;
    }
    return 0;
}

/* What follows the two bytes of size. */
static int64_t decode_metadata(struct sq *image, struct sq_workspace *space, size_t available,
                               size_t *size, uint8_t *out)
{
    uint16_t header = sq_get16(space->input);

    *size = header & (SQ_METADATA_RAW - 1);
    if (*size > SQ_METADATA_SIZE || *size > available - 2)
        return -1;
    if (!(header & SQ_METADATA_RAW))
        return sq_decompress(image->decompressor, space, space->input + 2, *size, out,
                             SQ_METADATA_SIZE);
    memcpy(out, space->input + 2, *size);
    return (int64_t)*size;
}

/* Reads size and body with one call: as much as the largest block has, or what is left. */
static int load_metadata(void *context, struct sq_block *block, struct ch_error *err)
{
    struct sq *image = context;
    uint64_t left = image->info.bytes_used - block->key;
    size_t available = left < 2 + SQ_METADATA_SIZE ? (size_t)left : 2 + SQ_METADATA_SIZE;
    struct sq_workspace *space;
    int64_t decoded = -1;
    size_t size = 0;
    int result;

    if (block->key >= image->info.bytes_used || left < 2)
        return SQ_BAD(err, "metadata block at %llu is beyond the end",
                      (unsigned long long)block->key);
    space = sq_workspace_borrow(image->decompressor);
    if (space == NULL)
        return CH_FAIL_WITH(err, ENOMEM, "malloc", "workspace");
    result = sq_pread(image, space->input, available, block->key, err);
    if (result == 0)
        decoded = decode_metadata(image, space, available, &size, block->data);
    sq_workspace_return(image->decompressor, space);
    if (result < 0)
        return result;
    if (decoded <= 0)
        return SQ_BAD(err, "metadata block at %llu is damaged", (unsigned long long)block->key);
    block->size = (uint32_t)decoded;
    block->next = block->key + 2 + size;
    return 0;
}

void sq_cursor_open(struct sq_cursor *cursor, struct sq *image, struct sq_place place, uint64_t end)
{
    cursor->image = image;
    cursor->place = place;
    cursor->end = end;
    cursor->held = NULL;
}

void sq_cursor_release(struct sq_cursor *cursor)
{
    if (cursor->held != NULL)
        sq_block_put(cursor->image->metadata, cursor->held);
    cursor->held = NULL;
}

static int hold_block(struct sq_cursor *cursor, struct ch_error *err)
{
    struct sq *image = cursor->image;

    if (cursor->place.block >= cursor->end)
        return SQ_BAD(err, "metadata block at %llu is outside its table",
                      (unsigned long long)cursor->place.block);
    return sq_block_get(image->metadata, cursor->place.block, load_metadata, image, &cursor->held,
                        err);
}

/* Makes the cursor stand before at least one byte. */
static int advance(struct sq_cursor *cursor, struct ch_error *err)
{
    int result;

    if (cursor->held == NULL && (result = hold_block(cursor, err)) < 0)
        return result;
    if (cursor->place.offset < cursor->held->size)
        return 0;
    if (cursor->place.offset > cursor->held->size)
        return SQ_BAD(err, "offset %u is behind the metadata block at %llu", cursor->place.offset,
                      (unsigned long long)cursor->place.block);
    cursor->place.block = cursor->held->next;
    cursor->place.offset = 0;
    sq_cursor_release(cursor);
    return hold_block(cursor, err);
}

bool sq_cursor_at_end(struct sq_cursor *cursor)
{
    if (cursor->place.block >= cursor->end ||
        (cursor->held == NULL && hold_block(cursor, NULL) < 0))
        return true;
    if (cursor->place.offset >= cursor->held->size) {
        cursor->place.block = cursor->held->next;
        cursor->place.offset = 0;
        sq_cursor_release(cursor);
    }
    return cursor->place.block >= cursor->end;
}

int sq_cursor_read(struct sq_cursor *cursor, void *buffer, size_t size, struct ch_error *err)
{
    uint8_t *at = buffer;

    while (size > 0) {
        size_t part;
        int result = advance(cursor, err);
        if (result < 0)
            return result;
        part = cursor->held->size - cursor->place.offset;
        if (part > size)
            part = size;
        if (at != NULL) {
            memcpy(at, cursor->held->data + cursor->place.offset, part);
            at += part;
        }
        cursor->place.offset += (uint32_t)part;
        size -= part;
    }
    return 0;
}
