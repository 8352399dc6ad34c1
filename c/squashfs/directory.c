/* Directory listings: runs of up to 256 entries whose inodes share a metadata block.
 *
 * A run: number of entries - 1, place of the inodes' metadata block, inode number that the entries'
 * are relative to (32 bits each). An entry: offset in that block, difference to the number
 * (signed), type, length of the name - 1 (16 bits each), the name. Names are sorted as bytes. Big
 * directories have an index: offset in the listing, its metadata block, length of the name - 1 (32
 * bits each) and the first name of the run there. */
#include "image.h"

#define RUN_SIZE 12
#define ENTRY_SIZE 8
#define INDEX_SIZE 12

/* Reads bytes of the listing, which must have them. */
static int take(struct sq_dir *dir, void *buffer, uint32_t size, struct ch_error *err)
{
    if (size > dir->length - dir->consumed)
        return SQ_BAD(err, "directory ends inside an entry");
    dir->consumed += size;
    return sq_cursor_read(&dir->cursor, buffer, size, err);
}

static int next_run(struct sq_dir *dir, struct ch_error *err)
{
    uint8_t raw[RUN_SIZE];
    int result;

    dir->run_at = dir->consumed;
    if ((result = take(dir, raw, sizeof(raw), err)) < 0)
        return result;
    if (sq_get32(raw) >= SQ_RUN_MAX)
        return SQ_BAD(err, "directory with a run of %u entries", sq_get32(raw));
    dir->run_count = sq_get32(raw) + 1;
    dir->run_index = 0;
    dir->run_block = sq_get32(raw + 4);
    dir->run_number = sq_get32(raw + 8);
    return 0;
}

static int check_name(const char *name, uint32_t length, struct ch_error *err)
{
    if (memchr(name, '/', length) != NULL || memchr(name, '\0', length) != NULL ||
        (length == 1 && name[0] == '.') || (length == 2 && name[0] == '.' && name[1] == '.'))
        return SQ_BAD(err, "directory with a name that is none: %.*s", (int)length, name);
    return 0;
}

static int read_entry(struct sq_dir *dir, struct sq_dirent *out, struct ch_error *err)
{
    uint8_t raw[ENTRY_SIZE];
    uint16_t type;
    int result;

    if ((result = take(dir, raw, sizeof(raw), err)) < 0)
        return result;
    type = sq_get16(raw + 4);
    out->length = sq_get16(raw + 6) + 1u;
    if (out->length > SQ_NAME_MAX || type == 0 || type > SQ_SOCKET)
        return SQ_BAD(err, "directory with a damaged entry");
    if ((result = take(dir, out->name, out->length, err)) < 0 ||
        (result = check_name(out->name, out->length, err)) < 0)
        return result;
    out->name[out->length] = '\0';
    out->type = type;
    out->number = dir->run_number + (uint32_t)(int16_t)sq_get16(raw + 2);
    out->ref = (uint64_t)dir->run_block << 16 | sq_get16(raw);
    return 0;
}

/* A cookie is the place of the run in the listing << 8 | index of the next entry in it. */
static uint64_t cookie_of(const struct sq_dir *dir)
{
    return dir->run_index < dir->run_count ? (uint64_t)dir->run_at << 8 | dir->run_index
                                           : (uint64_t)dir->consumed << 8;
}

int sq_dir_next(struct sq_dir *dir, struct sq_dirent *out, struct ch_error *err)
{
    int result;

    if (dir->run_index == dir->run_count) {
        if (dir->consumed == dir->length)
            return 0;
        if ((result = next_run(dir, err)) < 0)
            return result;
    }
    if ((result = read_entry(dir, out, err)) < 0)
        return result;
    dir->run_index++;
    out->cookie = cookie_of(dir);
    return 1;
}

/* Goes to the run at RUN_AT of the listing, which is at PLACE. */
static void start_at(struct sq_dir *dir, struct sq *image, const struct sq_inode *inode,
                     struct sq_place place, uint32_t run_at)
{
    *dir = (struct sq_dir){.length = (uint32_t)inode->size, .consumed = run_at};
    sq_cursor_open(&dir->cursor, image, place, image->directory_end);
}

int sq_dir_open(struct sq *image, const struct sq_inode *inode, uint64_t cookie, struct sq_dir *dir,
                struct ch_error *err)
{
    uint64_t run_at = cookie >> 8;
    struct sq_dirent skipped;
    int result;

    start_at(dir, image, inode, inode->list, 0);
    if (inode->type != SQ_DIRECTORY)
        return CH_FAIL_WITH(err, ENOTDIR, "readdir", "inode %u", inode->number);
    if (run_at > dir->length)
        return CH_FAIL_WITH(err, EINVAL, "readdir", "cookie %llu", (unsigned long long)cookie);
    if ((result = take(dir, NULL, (uint32_t)run_at, err)) < 0)
        return result;
    for (unsigned i = cookie & 0xff; i > 0; i--)
        if ((result = sq_dir_next(dir, &skipped, err)) <= 0)
            return result;
    return 0;
}

void sq_dir_close(struct sq_dir *dir)
{
    sq_cursor_release(&dir->cursor);
}

/* As strcmp() of byte strings. */
static int compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

/* The last run of the index that doesn't begin behind NAME. */
static int find_run(struct sq *image, const struct sq_inode *inode, const char *name, size_t length,
                    struct sq_place *place, uint32_t *run_at, struct ch_error *err)
{
    SQ_AUTO_CURSOR struct sq_cursor cursor = {0};

    *place = inode->list;
    *run_at = 0;
    sq_cursor_open(&cursor, image, inode->behind, image->inode_end);
    for (uint32_t i = 0; i < inode->index_count; i++) {
        uint8_t raw[INDEX_SIZE];
        char first[SQ_NAME_MAX];
        int result = sq_cursor_read(&cursor, raw, sizeof(raw), err);

        if (result < 0)
            return result;
        if (sq_get32(raw) > inode->size || sq_get32(raw + 8) >= SQ_NAME_MAX)
            return SQ_BAD(err, "directory with a damaged index");
        if ((result = sq_cursor_read(&cursor, first, sq_get32(raw + 8) + 1, err)) < 0)
            return result;
        if (compare(first, sq_get32(raw + 8) + 1, name, length) > 0)
            break;
        *run_at = sq_get32(raw);
        place->block = image->directory_table + sq_get32(raw + 4);
        place->offset = (inode->list.offset + *run_at) % SQ_METADATA_SIZE;
    }
    return 0;
}

int sq_lookup(struct sq *image, const struct sq_inode *inode, const char *name, size_t length,
              uint64_t *ref, struct ch_error *err)
{
    __attribute__((cleanup(sq_dir_close))) struct sq_dir dir = {0};
    struct sq_dirent entry;
    struct sq_place place;
    uint32_t run_at;
    int result;

    if (inode->type != SQ_DIRECTORY)
        return CH_FAIL_WITH(err, ENOTDIR, "lookup", "inode %u", inode->number);
    if ((result = find_run(image, inode, name, length, &place, &run_at, err)) < 0)
        return result;
    start_at(&dir, image, inode, place, run_at);
    while ((result = sq_dir_next(&dir, &entry, err)) > 0) {
        int order = compare(entry.name, entry.length, name, length);
        if (order > 0)
            return 0;
        if (order == 0) {
            *ref = entry.ref;
            return 1;
        }
    }
    return result;
}
