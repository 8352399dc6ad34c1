/* Inodes. A reference is the place of the metadata block, relative to the inode table, << 16, plus
 * the offset in it. First 16 bytes for all: type, mode, uid and gid as indexes (16 bits each),
 * time, number (32). Then, by type, what the comments below tell; types 8 to 14 are 1 to 7 with
 * more. */
#include "image.h"

#include <sys/stat.h>

#define HEADER_SIZE 16
#define BODY_MAX 40
#define EXTENDED 7 /* type of an extended inode - that of the basic one */

static uint32_t format_bits(enum sq_type type)
{
    switch (type) {
    case SQ_DIRECTORY:
        return S_IFDIR;
    case SQ_FILE:
        return S_IFREG;
    case SQ_SYMLINK:
        return S_IFLNK;
    case SQ_BLOCK_DEVICE:
        return S_IFBLK;
    case SQ_CHAR_DEVICE:
        return S_IFCHR;
    case SQ_FIFO:
        return S_IFIFO;
    case SQ_SOCKET:
        return S_IFSOCK;
    }
    return 0;
}

/* Bytes between the header and a list or target. An extended symlink has 4 more behind the target.
 */
static const uint8_t body_sizes[] = {
    [1] = 16, [2] = 16, [3] = 8,  [4] = 8,   [5] = 8,   [6] = 4,  [7] = 4,
    [8] = 24, [9] = 40, [10] = 8, [11] = 12, [12] = 12, [13] = 8, [14] = 8,
};

/* 0 listing's block, 4 links, 8 listing's size (16), 10 its offset in the block (16), 12 parent */
static void read_directory(struct sq *image, const uint8_t *p, struct sq_inode *out)
{
    out->list.block = image->directory_table + sq_get32(p);
    out->links = sq_get32(p + 4);
    out->size = sq_get16(p + 8);
    out->list.offset = sq_get16(p + 10);
    out->parent = sq_get32(p + 12);
}

/* 0 links, 4 listing's size, 8 its block, 12 parent, 16 index entries (16), 18 offset (16), 20
 * xattr */
static void read_big_directory(struct sq *image, const uint8_t *p, struct sq_inode *out)
{
    out->links = sq_get32(p);
    out->size = sq_get32(p + 4);
    out->list.block = image->directory_table + sq_get32(p + 8);
    out->parent = sq_get32(p + 12);
    out->index_count = sq_get16(p + 16);
    out->list.offset = sq_get16(p + 18);
    out->xattr = sq_get32(p + 20);
}

/* 0 first block, 4 fragment, 8 offset in it, 12 size */
static void read_file(const uint8_t *p, struct sq_inode *out)
{
    out->start = sq_get32(p);
    out->fragment = sq_get32(p + 4);
    out->fragment_offset = sq_get32(p + 8);
    out->size = sq_get32(p + 12);
    out->links = 1;
}

/* 0 first block (64), 8 size (64), 16 bytes in holes (64), 24 links, 28 fragment, 32 offset, 36
 * xattr */
static void read_big_file(const uint8_t *p, struct sq_inode *out)
{
    out->start = sq_get64(p);
    out->size = sq_get64(p + 8);
    out->holes = sq_get64(p + 16);
    out->links = sq_get32(p + 24);
    out->fragment = sq_get32(p + 28);
    out->fragment_offset = sq_get32(p + 32);
    out->xattr = sq_get32(p + 36);
}

/* A size is believed only as far as the inode table can hold the list of its blocks: each of its
 * own blocks takes 3 bytes of disk or more and holds 8 KiB. So nobody walks a list without end. */
static int check_file(struct sq *image, struct sq_inode *file, struct ch_error *err)
{
    uint64_t block_size = image->info.block_size;
    uint64_t blocks = file->size / block_size, tail = file->size % block_size;
    uint64_t room = (image->inode_end - file->behind.block) / 3 + 1;

    if (tail == 0)
        file->fragment = SQ_NONE;
    else if (file->fragment == SQ_NONE)
        blocks++;
    else if (file->fragment >= image->fragments.count || file->fragment_offset >= block_size ||
             tail > block_size - file->fragment_offset)
        return SQ_BAD(err, "inode %u has a bad fragment", file->number);
    if (file->size > INT64_MAX || blocks / (SQ_METADATA_SIZE / 4) > room)
        return SQ_BAD(err, "inode %u has an impossible size", file->number);
    if (file->holes > file->size)
        file->holes = file->size;
    return 0;
}

/* 0 links, 4 length of the target; the target; xattr if extended */
static int read_symlink(struct sq_cursor *cursor, const uint8_t *p, bool extended,
                        struct sq_inode *out, struct ch_error *err)
{
    uint8_t xattr[4];
    int result;

    out->links = sq_get32(p);
    out->size = sq_get32(p + 4);
    if (out->size == 0 || out->size > SQ_SYMLINK_MAX)
        return SQ_BAD(err, "inode %u is a symlink of %llu bytes", out->number,
                      (unsigned long long)out->size);
    if (!extended)
        return 0;
    if ((result = sq_cursor_read(cursor, NULL, out->size, err)) < 0 ||
        (result = sq_cursor_read(cursor, xattr, sizeof(xattr), err)) < 0)
        return result;
    out->xattr = sq_get32(xattr);
    return 0;
}

/* 0 links, 4 device if it is one; xattr if extended */
static void read_special(const uint8_t *p, bool extended, struct sq_inode *out)
{
    bool device = out->type == SQ_BLOCK_DEVICE || out->type == SQ_CHAR_DEVICE;

    out->links = sq_get32(p);
    out->rdev = device ? sq_get32(p + 4) : 0;
    if (extended)
        out->xattr = sq_get32(p + (device ? 8 : 4));
}

static int read_body(struct sq_cursor *cursor, const uint8_t *p, bool extended,
                     struct sq_inode *out, struct ch_error *err)
{
    struct sq *image = cursor->image;

    switch (out->type) {
    case SQ_DIRECTORY:
        (extended ? read_big_directory : read_directory)(image, p, out);
        /* Counts "." and "..", three bytes, though they are not in the listing. */
        out->size = out->size < 3 ? 0 : out->size - 3;
        return 0;
    case SQ_FILE:
        (extended ? read_big_file : read_file)(p, out);
        return check_file(image, out, err);
    case SQ_SYMLINK:
        return read_symlink(cursor, p, extended, out, err);
    default:
        read_special(p, extended, out);
        return 0;
    }
}

int sq_inode_read(struct sq *image, uint64_t ref, struct sq_inode *out, struct ch_error *err)
{
    struct sq_place place = {image->inode_table + (ref >> 16), ref & 0xffff};
    SQ_AUTO_CURSOR struct sq_cursor cursor = {0};
    uint8_t p[HEADER_SIZE + BODY_MAX];
    uint16_t type;
    int result;

    sq_cursor_open(&cursor, image, place, image->inode_end);
    if ((result = sq_cursor_read(&cursor, p, HEADER_SIZE, err)) < 0)
        return result;
    type = sq_get16(p);
    if (type == 0 || type > SQ_SOCKET + EXTENDED)
        return SQ_BAD(err, "inode at %llu has unknown type %u", (unsigned long long)ref, type);
    if (sq_get16(p + 4) >= image->id_count || sq_get16(p + 6) >= image->id_count)
        return SQ_BAD(err, "inode at %llu has an unknown owner", (unsigned long long)ref);
    if ((result = sq_cursor_read(&cursor, p + HEADER_SIZE, body_sizes[type], err)) < 0)
        return result;

    *out = (struct sq_inode){.ref = ref, .xattr = SQ_NONE, .fragment = SQ_NONE};
    out->type = type > EXTENDED ? type - EXTENDED : type;
    out->extended = type > EXTENDED;
    out->mode = (uint16_t)(format_bits(out->type) | (sq_get16(p + 2) & 07777));
    out->uid = image->ids[sq_get16(p + 4)];
    out->gid = image->ids[sq_get16(p + 6)];
    out->mtime = sq_get32(p + 8);
    out->number = sq_get32(p + 12);
    out->behind = cursor.place;
    return read_body(&cursor, p + HEADER_SIZE, type > EXTENDED, out, err);
}

/* What is behind an inode's fixed part: its block list, target or index. */
static int skip_tail(struct sq_cursor *cursor, const struct sq_inode *inode, struct ch_error *err)
{
    uint64_t block_size = cursor->image->info.block_size;
    int result = 0;

    switch (inode->type) {
    case SQ_FILE:
        return sq_cursor_read(cursor, NULL,
                              4 * (inode->size / block_size +
                                   (inode->size % block_size != 0 && inode->fragment == SQ_NONE)),
                              err);
    case SQ_SYMLINK:
        return sq_cursor_read(cursor, NULL, inode->size + (inode->extended ? 4 : 0), err);
    case SQ_DIRECTORY:
        for (uint32_t i = 0; result == 0 && i < inode->index_count; i++) {
            uint8_t raw[12];
            if ((result = sq_cursor_read(cursor, raw, sizeof(raw), err)) == 0)
                result = sq_cursor_read(cursor, NULL, (sq_get32(raw + 8) & 0xff) + 1, err);
        }
        return result;
    default:
        return 0;
    }
}

int sq_inode_following(struct sq *image, const struct sq_inode *inode, struct sq_inode *out,
                       struct ch_error *err)
{
    SQ_AUTO_CURSOR struct sq_cursor cursor = {0};
    int result;

    sq_cursor_open(&cursor, image, inode->behind, image->inode_end);
    if ((result = skip_tail(&cursor, inode, err)) < 0)
        return result;
    if (sq_cursor_at_end(&cursor))
        return 0;
    result = sq_inode_read(
        image, (cursor.place.block - image->inode_table) << 16 | cursor.place.offset, out, err);
    return result < 0 ? result : 1;
}

int sq_readlink(struct sq *image, const struct sq_inode *inode, char *target, struct ch_error *err)
{
    SQ_AUTO_CURSOR struct sq_cursor cursor = {0};
    int result;

    if (inode->type != SQ_SYMLINK)
        return CH_FAIL_WITH(err, EINVAL, "readlink", "inode %u", inode->number);
    sq_cursor_open(&cursor, image, inode->behind, image->inode_end);
    if ((result = sq_cursor_read(&cursor, target, inode->size, err)) < 0)
        return result;
    target[inode->size] = '\0';
    if (memchr(target, '\0', inode->size) != NULL)
        return SQ_BAD(err, "inode %u is a symlink with a NUL in it", inode->number);
    return 0;
}
