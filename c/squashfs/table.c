/* Tables of fixed-size entries (ids, fragments, xattr ids): metadata blocks somewhere, and an array
 * of their places, 64 bits each. */
#include "image.h"

int sq_table_open(struct sq *image, struct sq_table *table, const char *name, uint64_t place,
                  uint32_t count, uint32_t entry_size, struct ch_error *err)
{
    uint64_t per_block = SQ_METADATA_SIZE / entry_size;
    uint64_t blocks = (count + per_block - 1) / per_block;
    int result;

    table->count = count;
    table->entry_size = entry_size;
    table->end = place;
    if (count == 0)
        return 0;
    /* Before the allocation: a count that the image has no room for costs no memory. */
    if (place >= image->info.bytes_used || blocks * 8 > image->info.bytes_used - place)
        return SQ_BAD(err, "%s table is beyond the end", name);
    table->blocks = malloc(blocks * 8);
    if (table->blocks == NULL)
        return CH_FAIL(err, "malloc", "%s table", name);
    result = sq_pread(image, table->blocks, blocks * 8, place, err);
    if (result < 0)
        return result;
    for (uint64_t i = 0; i < blocks; i++) {
        table->blocks[i] = le64toh(table->blocks[i]);
        if (table->blocks[i] < SQ_SUPERBLOCK_SIZE || table->blocks[i] >= place ||
            (i > 0 && table->blocks[i] <= table->blocks[i - 1]))
            return SQ_BAD(err, "%s table is damaged", name);
    }
    return 0;
}

int sq_table_read(struct sq *image, const struct sq_table *table, uint32_t index, void *entry,
                  struct ch_error *err)
{
    uint32_t per_block = SQ_METADATA_SIZE / table->entry_size;
    SQ_AUTO_CURSOR struct sq_cursor cursor = {0};
    struct sq_place place;

    if (index >= table->count)
        return SQ_BAD(err, "entry %u of a table of %u", index, table->count);
    place.block = table->blocks[index / per_block];
    place.offset = index % per_block * table->entry_size;
    sq_cursor_open(&cursor, image, place, table->end);
    return sq_cursor_read(&cursor, entry, table->entry_size, err);
}

/* The owners: at most 65536, so they are kept decoded. */
int sq_ids_read(struct sq *image, uint64_t place, uint32_t count, struct ch_error *err)
{
    struct sq_table table = {0};
    int result = sq_table_open(image, &table, "id", place, count, 4, err);

    if (result == 0 && (image->ids = malloc(count * sizeof(*image->ids))) == NULL)
        result = CH_FAIL(err, "malloc", "id table");
    for (uint32_t at = 0; result == 0 && at < count; at += SQ_METADATA_SIZE / 4) {
        uint32_t part = count - at < SQ_METADATA_SIZE / 4 ? count - at : SQ_METADATA_SIZE / 4;
        SQ_AUTO_CURSOR struct sq_cursor cursor = {0};
        struct sq_place block = {table.blocks[at / (SQ_METADATA_SIZE / 4)], 0};

        sq_cursor_open(&cursor, image, block, place);
        result = sq_cursor_read(&cursor, image->ids + at, part * 4, err);
        for (uint32_t i = at; result == 0 && i < at + part; i++)
            image->ids[i] = le32toh(image->ids[i]);
    }
    image->id_count = count;
    free(table.blocks);
    return result;
}
