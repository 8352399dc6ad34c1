/* Extended attributes. An inode's index leads to an entry of the id table: reference of its list
 * (as an inode's, relative to the first list), number of pairs, their size (unused). A pair: kind
 * of prefix and length of the name (16 bits each), the name, size of the value (32), the value. A
 * value out of line is 8 bytes, the reference of size and value elsewhere. */
#include "image.h"

#define PAIRS_MAX 16384 /* more names than the 64 KiB of listxattr(2) have room for */

static const char *const prefixes[] = {"user.", "trusted.", "security."};

static struct sq_place place_of(const struct sq *image, uint64_t ref)
{
    return (struct sq_place){image->xattr_start + (ref >> 16), ref & 0xffff};
}

int sq_xattrs_open(struct sq *image, const struct sq_inode *inode, struct sq_xattrs *list,
                   struct ch_error *err)
{
    uint8_t raw[SQ_XATTR_ID_SIZE];
    int result;

    *list = (struct sq_xattrs){.cursor = {.image = image}};
    if (inode->xattr == SQ_NONE || !image->info.has_xattrs)
        return 0;
    if ((result = sq_table_read(image, &image->xattrs, inode->xattr, raw, err)) < 0)
        return result;
    if (sq_get32(raw + 8) > PAIRS_MAX)
        return SQ_BAD(err, "inode %u has %u xattrs", inode->number, sq_get32(raw + 8));
    list->left = sq_get32(raw + 8);
    sq_cursor_open(&list->cursor, image, place_of(image, sq_get64(raw)), image->xattr_end);
    return 0;
}

void sq_xattrs_close(struct sq_xattrs *list)
{
    sq_cursor_release(&list->cursor);
}

static int read_name(struct sq_cursor *cursor, unsigned kind, uint32_t length, struct sq_xattr *out,
                     struct ch_error *err)
{
    const char *prefix;
    size_t prefix_length;
    int result;

    if (kind >= sizeof(prefixes) / sizeof(prefixes[0]))
        return SQ_BAD(err, "xattr of unknown kind %u", kind);
    prefix = prefixes[kind];
    prefix_length = strlen(prefix);
    if (length == 0 || prefix_length + length > SQ_XATTR_NAME_MAX)
        return SQ_BAD(err, "xattr with a name of %u bytes", length);
    memcpy(out->name, prefix, prefix_length);
    if ((result = sq_cursor_read(cursor, out->name + prefix_length, length, err)) < 0)
        return result;
    out->length = (uint32_t)(prefix_length + length);
    out->name[out->length] = '\0';
    if (strlen(out->name) != out->length)
        return SQ_BAD(err, "xattr with a NUL in its name");
    return 0;
}

static int read_size(struct sq_cursor *cursor, struct sq_xattr *out, struct ch_error *err)
{
    uint8_t raw[4];
    int result = sq_cursor_read(cursor, raw, sizeof(raw), err);

    if (result < 0)
        return result;
    out->size = sq_get32(raw);
    out->value = cursor->place;
    if (out->size > SQ_XATTR_SIZE_MAX)
        return SQ_BAD(err, "xattr %s of %u bytes", out->name, out->size);
    return 0;
}

static int find_elsewhere(struct sq_cursor *cursor, struct sq_xattr *out, struct ch_error *err)
{
    SQ_AUTO_CURSOR struct sq_cursor there = {0};
    uint8_t raw[8];
    int result;

    if (out->size != sizeof(raw))
        return SQ_BAD(err, "xattr %s is damaged", out->name);
    if ((result = sq_cursor_read(cursor, raw, sizeof(raw), err)) < 0)
        return result;
    sq_cursor_open(&there, cursor->image, place_of(cursor->image, sq_get64(raw)), cursor->end);
    return read_size(&there, out, err);
}

int sq_xattrs_next(struct sq_xattrs *list, struct sq_xattr *out, struct ch_error *err)
{
    struct sq_cursor *cursor = &list->cursor;
    uint8_t raw[4];
    uint16_t kind;
    int result;

    if (list->left == 0)
        return 0;
    list->left--;
    if ((result = sq_cursor_read(cursor, raw, sizeof(raw), err)) < 0)
        return result;
    kind = sq_get16(raw);
    result = read_name(cursor, kind & (SQ_XATTR_OUT_OF_LINE - 1u), sq_get16(raw + 2), out, err);
    if (result < 0 || (result = read_size(cursor, out, err)) < 0)
        return result;
    result = kind & SQ_XATTR_OUT_OF_LINE ? find_elsewhere(cursor, out, err)
                                         : sq_cursor_read(cursor, NULL, out->size, err);
    return result < 0 ? result : 1;
}

int sq_xattr_value(struct sq *image, const struct sq_xattr *xattr, void *value,
                   struct ch_error *err)
{
    SQ_AUTO_CURSOR struct sq_cursor cursor = {0};

    sq_cursor_open(&cursor, image, xattr->value, image->xattr_end);
    return sq_cursor_read(&cursor, value, xattr->size, err);
}
