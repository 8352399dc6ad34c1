/* See squashfs_blocks.h. */
#include "squashfs_blocks.h"

#include <sqfs/block.h>
#include <sqfs/error.h>
#include <stdlib.h>
#include <string.h>

#define UNCOMPRESSED (1u << 24)

struct squashfs_block *squashfs_block_new(uint32_t block_size)
{
    struct squashfs_block *b = calloc(1, sizeof(*b));

    if (b == NULL)
        return NULL;
    b->data = malloc(block_size);
    b->packed = malloc(block_size);
    if (b->data != NULL && b->packed != NULL)
        return b;
    squashfs_block_free(b);
    return NULL;
}

void squashfs_block_free(struct squashfs_block *b)
{
    if (b == NULL)
        return;
    free(b->data);
    free(b->packed);
    free(b);
}

static bool is_zero(const uint8_t *data, uint32_t size)
{
    return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

/* Result: 0 or an error. A full block of zeros is not stored at all. */
int squashfs_block_compress(struct squashfs_block *b, sqfs_compressor_t *compressor,
                            const struct keyed_hash *hash, uint32_t block_size)
{
    sqfs_s32 size;

    b->stored = 0;
    b->digest = (struct keyed_digest){0, 0};
    if (b->inode != NULL && is_zero(b->data, b->size))
        return 0;
    if (b->inode != NULL)
        b->digest = keyed_hash_data(hash, b->data, b->size);
    size = compressor->do_block(compressor, b->data, b->size, b->packed, block_size);
    if (size < 0)
        return size;
    b->stored = size == 0 ? b->size | UNCOMPRESSED : (uint32_t)size;
    return 0;
}

/* Where the blocks of the file that ends at w->at are: they may have been in the image before. */
static uint64_t place_of_file(struct squashfs_blocks *w)
{
    uint64_t place, length = w->at - w->file_start;

    if (length == 0)
        return w->file_start;
    if (known_data_find(&w->files, w->file_digest, length, &place))
        return place;
    known_data_add(&w->files, w->file_digest, length, w->file_start);
    return w->file_start;
}

/* Takes back the blocks of a file that are there twice. */
static int end_of_file(struct squashfs_blocks *w, uint64_t *start)
{
    *start = place_of_file(w);
    if (*start == w->file_start)
        return 0;
    w->at = w->file_start;
    return w->file->truncate(w->file, w->at);
}

int squashfs_blocks_write(struct squashfs_blocks *w, const struct squashfs_block *b,
                          uint64_t *start)
{
    uint32_t size = SQFS_ON_DISK_BLOCK_SIZE(b->stored);
    int code = 0;

    if (b->inode != NULL && b->index == 0) {
        w->file_start = w->at;
        w->file_digest = (struct keyed_digest){0, 0};
    }
    *start = w->at;
    if (size > 0)
        code =
            w->file->write_at(w->file, w->at, b->stored & UNCOMPRESSED ? b->data : b->packed, size);
    w->at += size;
    w->file_digest = keyed_hash_append(w->hash, w->file_digest, b->digest);
    return code == 0 && b->last ? end_of_file(w, start) : code;
}

int squashfs_blocks_record(struct squashfs_blocks *w, const struct squashfs_block *b,
                           uint64_t start)
{
    if (b->inode == NULL)
        return sqfs_frag_table_set(w->fragments, b->index, start, b->stored);
    b->inode->extra[b->index] = b->stored;
    if (b->stored == 0) {
        sqfs_inode_make_extended(b->inode);
        b->inode->data.file_ext.sparse += b->size;
    }
    return b->last ? sqfs_inode_set_file_block_start(b->inode, start) : 0;
}

void squashfs_blocks_free(struct squashfs_blocks *w)
{
    known_data_free(&w->files);
}
