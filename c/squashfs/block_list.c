/* A file's block list: the sizes of its blocks behind the inode, 32 bits each with SQ_BLOCK_RAW, 0
 * for a hole. The blocks lie one after another on disk. */
#include "image.h"

void sq_block_list_close(struct sq_block_list *list)
{
    sq_cursor_release(&list->sizes);
}

int sq_block_list_next(struct sq_block_list *list, struct sq_extent *out, struct ch_error *err)
{
    uint8_t raw[4];
    int result = sq_cursor_read(&list->sizes, raw, sizeof(raw), err);

    if (result < 0)
        return result;
    out->disk = list->disk;
    out->size = sq_get32(raw);
    list->disk += out->size & (SQ_BLOCK_RAW - 1);
    list->index++;
    return 0;
}

static int skip(struct sq_block_list *list, uint64_t count, struct ch_error *err)
{
    while (count > 0) {
        uint8_t raw[4 * 512];
        uint64_t part = count < 512 ? count : 512;
        int result = sq_cursor_read(&list->sizes, raw, part * 4, err);

        if (result < 0)
            return result;
        for (uint64_t i = 0; i < part; i++)
            list->disk += sq_get32(raw + i * 4) & (SQ_BLOCK_RAW - 1);
        list->index += part;
        count -= part;
    }
    return 0;
}

/* A block's place is the sum of the sizes before it. For files of hundreds of megabytes adding them
 * up for each read would tell, so every SQ_CHUNK blocks the sum is remembered. */
static struct sq_checkpoint *checkpoint(struct sq *image, uint64_t ref, uint64_t chunk)
{
    return &image->checkpoints[(ref * 31 + chunk) % SQ_CHECKPOINTS];
}

static void remember(struct sq *image, uint64_t ref, const struct sq_block_list *list)
{
    uint64_t chunk = list->index / SQ_CHUNK;

    pthread_mutex_lock(&image->checkpoint_lock);
    *checkpoint(image, ref, chunk) =
        (struct sq_checkpoint){ref + 1, chunk, list->disk, list->sizes.place};
    pthread_mutex_unlock(&image->checkpoint_lock);
}

/* Starts LIST at the last remembered place not behind block INDEX. */
static void recall(struct sq *image, const struct sq_inode *inode, uint64_t index,
                   struct sq_block_list *list)
{
    struct sq_place place = inode->behind;

    list->disk = inode->start;
    list->index = 0;
    pthread_mutex_lock(&image->checkpoint_lock);
    for (uint64_t chunk = index / SQ_CHUNK, tries = SQ_CHECKPOINTS; chunk > 0 && tries > 0;
         chunk--, tries--) {
        const struct sq_checkpoint *known = checkpoint(image, inode->ref, chunk);
        if (known->file == inode->ref + 1 && known->chunk == chunk) {
            list->disk = known->disk;
            list->index = chunk * SQ_CHUNK;
            place = known->sizes;
            break;
        }
    }
    pthread_mutex_unlock(&image->checkpoint_lock);
    sq_cursor_open(&list->sizes, image, place, image->inode_end);
}

int sq_block_list_open(struct sq *image, const struct sq_inode *inode, uint64_t index,
                       struct sq_block_list *list, struct ch_error *err)
{
    uint64_t block_size = image->info.block_size;

    recall(image, inode, index, list);
    list->blocks = inode->size / block_size;
    if (inode->size % block_size != 0 && inode->fragment == SQ_NONE)
        list->blocks++;
    while (index - list->index >= SQ_CHUNK) {
        int result = skip(list, SQ_CHUNK, err);
        if (result < 0)
            return result;
        remember(image, inode->ref, list);
    }
    return skip(list, index - list->index, err);
}
