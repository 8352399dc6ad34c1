/* File content: a list of block sizes behind the inode (0: a hole), blocks one after another on
 * disk, and for the tail perhaps a place in a fragment block, which many files share. */
#include "image.h"

#define EXTENTS_MAX 260 /* 1 MiB in blocks of 4 KiB, not aligned */
#define AHEAD_BYTES (512u << 10)

struct load {
    struct sq *image;
    struct sq_extent extent;
};

static int load_compressed(struct sq *image, struct sq_extent extent, struct sq_block *block,
                           struct ch_error *err)
{
    struct sq_workspace *space = sq_workspace_borrow(image->decompressor);
    int64_t decoded = -1;
    int result;

    if (space == NULL)
        return CH_FAIL_WITH(err, ENOMEM, "malloc", "workspace");
    result = sq_pread(image, space->input, extent.size, extent.disk, err);
    if (result == 0)
        decoded = sq_decompress(image->decompressor, space, space->input, extent.size, block->data,
                                image->info.block_size);
    sq_workspace_return(image->decompressor, space);
    if (result < 0)
        return result;
    if (decoded < 0)
        return SQ_BAD(err, "data block at %llu is damaged", (unsigned long long)extent.disk);
    block->size = (uint32_t)decoded;
    return 0;
}

static int load_extent(void *context, struct sq_block *block, struct ch_error *err)
{
    const struct load *load = context;
    struct sq_extent extent = {load->extent.disk, load->extent.size & (SQ_BLOCK_RAW - 1)};

    if (extent.size == 0 || extent.size > load->image->info.block_size)
        return SQ_BAD(err, "data block at %llu has a bad size", (unsigned long long)extent.disk);
    block->next = extent.disk + extent.size;
    if (!(load->extent.size & SQ_BLOCK_RAW))
        return load_compressed(load->image, extent, block, err);
    block->size = extent.size;
    return sq_pread(load->image, block->data, extent.size, extent.disk, err);
}

int sq_extent_get(struct sq *image, struct sq_extent extent, struct sq_block **out,
                  struct ch_error *err)
{
    struct load load = {image, extent};
    return sq_block_get(image->data, extent.disk, load_extent, &load, out, err);
}

/* An entry of the fragment table: 64 bits of place, 32 of size, 32 unused. */
int sq_fragment_read(struct sq *image, uint32_t index, struct sq_extent *out, struct ch_error *err)
{
    uint8_t raw[SQ_FRAGMENT_SIZE];
    int result = sq_table_read(image, &image->fragments, index, raw, err);

    if (result < 0)
        return result;
    out->disk = sq_get64(raw);
    out->size = sq_get32(raw + 8);
    return 0;
}

static int next_extent(struct sq *image, const struct sq_inode *inode, struct sq_block_list *list,
                       struct sq_extent *out, struct ch_error *err)
{
    if (list->index < list->blocks)
        return sq_block_list_next(list, out, err);
    list->index++;
    return sq_fragment_read(image, inode->fragment, out, err);
}

/* How many extents behind the wanted ones are worth decoding: a sequential reader's next ones. A
 * program that starts reads the first block of many files and needs no more of most. */
static uint64_t ahead_of(struct sq *image, uint64_t first, uint64_t before)
{
    if (image->readahead == NULL)
        return 0;
    if (first == 0)
        return 1;
    return sq_block_known(image->data, before) ? 1 + AHEAD_BYTES / image->info.block_size / 2 : 0;
}

/* Small files lie in fragment blocks one after another: who went from one block to the next will
 * want the one after. */
static void read_fragments_ahead(struct sq *image, const struct sq_inode *inode,
                                 struct sq_extent wanted)
{
    struct sq_extent extent;

    if (image->readahead == NULL || sq_block_known(image->data, wanted.disk) ||
        inode->fragment + 1 >= image->fragments.count)
        return;
    if (inode->fragment > 0 && (sq_fragment_read(image, inode->fragment - 1, &extent, NULL) < 0 ||
                                !sq_block_known(image->data, extent.disk)))
        return;
    if (sq_fragment_read(image, inode->fragment + 1, &extent, NULL) == 0)
        sq_readahead_add(image, extent);
}

/* COUNT extents of a file from number FIRST on; those behind the first, and perhaps some more, are
 * decoded by others meanwhile. */
static int find_extents(struct sq *image, const struct sq_inode *inode, uint64_t first, int count,
                        struct sq_extent *extents, struct ch_error *err)
{
    __attribute__((cleanup(sq_block_list_close))) struct sq_block_list list;
    struct sq_extent extent = {0};
    uint64_t total, ahead;
    int result = sq_block_list_open(image, inode, first > 0 ? first - 1 : 0, &list, err);

    if (result == 0 && first > 0)
        result = sq_block_list_next(&list, &extent, err);
    if (result < 0)
        return result;
    total = list.blocks + (inode->fragment != SQ_NONE);
    ahead = ahead_of(image, first, extent.disk);
    for (int i = 0; i < count; i++) {
        if ((result = next_extent(image, inode, &list, &extents[i], err)) < 0)
            return result;
        if (i > 0)
            sq_readahead_add(image, extents[i]);
    }
    if (list.index == total && inode->fragment != SQ_NONE)
        read_fragments_ahead(image, inode, extents[count - 1]);
    for (; ahead > 0 && list.index < total; ahead--)
        if (next_extent(image, inode, &list, &extent, NULL) == 0)
            sq_readahead_add(image, extent);
    return 0;
}

/* Bytes [FROM, FROM + SIZE) of a block. */
static int map_extent(struct sq *image, struct sq_extent extent, bool fragment, uint32_t from,
                      size_t size, struct sq_span *span, struct ch_error *err)
{
    int result;

    *span = (struct sq_span){image->zeros, size, NULL};
    if (extent.size == 0 && !fragment)
        return 0;
    if ((result = sq_extent_get(image, extent, &span->block, err)) < 0)
        return result;
    if (from + size > span->block->size) {
        sq_block_put(image->data, span->block);
        return SQ_BAD(err, "data block at %llu is too short", (unsigned long long)extent.disk);
    }
    span->data = span->block->data + from;
    return 0;
}

/* Those of block NUMBER that are among the bytes [OFFSET, END). */
static int map_block(struct sq *image, const struct sq_inode *inode, struct sq_extent extent,
                     uint64_t number, uint64_t offset, uint64_t end, struct sq_span *span,
                     struct ch_error *err)
{
    uint64_t block_size = image->info.block_size, at = number * block_size;
    bool fragment = inode->fragment != SQ_NONE && number == inode->size / block_size;
    uint32_t from = offset > at ? (uint32_t)(offset - at) : 0;
    uint64_t to = end - at < block_size ? end - at : block_size;

    return map_extent(image, extent, fragment, from + (fragment ? inode->fragment_offset : 0),
                      to - from, span, err);
}

int sq_map(struct sq *image, const struct sq_inode *inode, uint64_t offset, size_t length,
           struct sq_span *spans, int count, struct ch_error *err)
{
    struct sq_extent extents[EXTENTS_MAX];
    uint64_t first = offset / image->info.block_size, last, end;
    int result;

    if (inode->type != SQ_FILE)
        return CH_FAIL_WITH(err, inode->type == SQ_DIRECTORY ? EISDIR : EINVAL, "read", "inode %u",
                            inode->number);
    if (offset >= inode->size || length == 0 || count <= 0)
        return 0;
    end = length > inode->size - offset ? inode->size : offset + length;
    last = (end - 1) / image->info.block_size;
    if (count > EXTENTS_MAX)
        count = EXTENTS_MAX;
    if (last - first < (uint64_t)count)
        count = (int)(last - first) + 1;
    if ((result = find_extents(image, inode, first, count, extents, err)) < 0)
        return result;
    for (int i = 0; i < count; i++) {
        result =
            map_block(image, inode, extents[i], first + (unsigned)i, offset, end, &spans[i], err);
        if (result < 0) {
            sq_unmap(image, spans, i);
            return result;
        }
    }
    return count;
}

void sq_unmap(struct sq *image, struct sq_span *spans, int count)
{
    for (int i = 0; i < count; i++)
        if (spans[i].block != NULL)
            sq_block_put(image->data, spans[i].block);
}

int sq_read(struct sq *image, const struct sq_inode *inode, uint64_t offset, void *buffer,
            size_t length, struct ch_error *err)
{
    struct sq_span spans[16];
    uint8_t *at = buffer;
    size_t done = 0;

    if (length > INT32_MAX)
        length = INT32_MAX;
    while (done < length) {
        int count = sq_map(image, inode, offset + done, length - done, spans, 16, err);
        if (count < 0)
            return count;
        if (count == 0)
            break;
        for (int i = 0; i < count; i++) {
            memcpy(at + done, spans[i].data, spans[i].size);
            done += spans[i].size;
        }
        sq_unmap(image, spans, count);
    }
    return (int)done;
}
