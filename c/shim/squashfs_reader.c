/* Our SquashFS reader (c/squashfs) for TypeScript: inodes by reference, entries in batches. */
#include "../ch.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../squashfs/reader.h"

static_assert(sizeof(struct ch_squashfs_image) == 32, "ffi/squashfs_reader.ts reads this");
static_assert(sizeof(struct ch_squashfs_inode) == 72, "ffi/squashfs_reader.ts reads this");

static struct sq *image_of(uint64_t handle)
{
    return (struct sq *)(uintptr_t)handle;
}

int32_t ch_squashfs_reader_open(const char *path, struct ch_squashfs_image *out,
                                struct ch_error *err)
{
    /* O_NONBLOCK: a FIFO is refused instead of waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct sq *image;
    int result;

    if (fd < 0)
        return CH_FAIL(err, "open", "%s", path);
    result = sq_open(fd, &image, err);
    if (result < 0) {
        close(fd);
        return result;
    }
    *out = (struct ch_squashfs_image){
        .handle = (uint64_t)(uintptr_t)image,
        .root = sq_info(image)->root,
        .bytes_used = sq_info(image)->bytes_used,
        .inode_count = sq_info(image)->inode_count,
        .block_size = sq_info(image)->block_size,
    };
    return 0;
}

int32_t ch_squashfs_reader_close(uint64_t handle)
{
    sq_close(image_of(handle));
    return 0;
}

int32_t ch_squashfs_reader_start_readahead(uint64_t handle, uint32_t threads)
{
    return sq_start_readahead(image_of(handle), threads);
}

/* rdev is the kernel's encoding (new_encode_dev), which makedev(3) of the C library differs from.
 */
static void describe(const struct sq_inode *inode, struct ch_squashfs_inode *out)
{
    bool has_data = inode->type == SQ_FILE || inode->type == SQ_SYMLINK;

    *out = (struct ch_squashfs_inode){
        .ref = inode->ref,
        .size = has_data ? inode->size : 0,
        .type = inode->mode & S_IFMT,
        .mode = inode->mode & 07777,
        .uid = inode->uid,
        .gid = inode->gid,
        .time = inode->mtime,
        .number = inode->number,
        .links = inode->links,
        .major = (inode->rdev & 0xfff00) >> 8,
        .minor = (inode->rdev & 0xff) | ((inode->rdev >> 12) & 0xfff00),
        .has_xattrs = inode->xattr != SQ_NONE,
    };
}

static uint32_t record_size(uint32_t name_length)
{
    return (uint32_t)sizeof(struct ch_squashfs_inode) + ((name_length + 7) & ~7u);
}

static int32_t list_entries(struct sq *image, struct sq_dir *dir, char *buffer, uint32_t capacity,
                            struct ch_error *err)
{
    uint32_t used = 0;

    while (capacity - used >= record_size(256)) {
        struct ch_squashfs_inode record;
        struct sq_dirent entry;
        struct sq_inode inode;
        int result = sq_dir_next(dir, &entry, err);

        if (result == 0)
            break;
        if (result < 0 || (result = sq_inode_read(image, entry.ref, &inode, err)) < 0)
            return result;
        describe(&inode, &record);
        record.cookie = entry.cookie;
        record.name_length = entry.length;
        memcpy(buffer + used, &record, sizeof(record));
        memcpy(buffer + used + sizeof(record), entry.name, entry.length);
        used += record_size(entry.length);
    }
    return (int32_t)used;
}

int32_t ch_squashfs_reader_list(uint64_t handle, uint64_t ref, uint64_t cookie, void *buffer,
                                uint32_t capacity, struct ch_error *err)
{
    struct sq *image = image_of(handle);
    struct sq_inode inode;
    struct sq_dir dir;
    int32_t result = sq_inode_read(image, ref, &inode, err);

    if (result < 0)
        return result;
    if (capacity < 512 || capacity > INT32_MAX)
        return CH_FAIL_WITH(err, EINVAL, "list", "%u", capacity);
    result = sq_dir_open(image, &inode, cookie, &dir, err);
    if (result == 0)
        result = list_entries(image, &dir, buffer, capacity, err);
    sq_dir_close(&dir);
    return result;
}

int32_t ch_squashfs_reader_resolve(uint64_t handle, const char *path, struct ch_squashfs_inode *out,
                                   struct ch_error *err)
{
    struct sq_inode inode;
    int result = sq_resolve(image_of(handle), path, &inode, err);

    if (result > 0)
        describe(&inode, out);
    return result;
}

int32_t ch_squashfs_reader_stat(uint64_t handle, uint64_t ref, struct ch_squashfs_inode *out,
                                struct ch_error *err)
{
    struct sq_inode inode;
    int result = sq_inode_read(image_of(handle), ref, &inode, err);

    if (result == 0)
        describe(&inode, out);
    return result;
}

int32_t ch_squashfs_reader_readlink(uint64_t handle, uint64_t ref, char *target,
                                    struct ch_error *err)
{
    struct sq_inode inode;
    int result = sq_inode_read(image_of(handle), ref, &inode, err);

    if (result == 0)
        result = sq_readlink(image_of(handle), &inode, target, err);
    return result < 0 ? result : (int32_t)inode.size;
}

/* Counts on where BUFFER is full. */
static int add_xattr(struct sq *image, const struct sq_xattr *xattr, char *buffer,
                     uint32_t capacity, uint64_t *used, struct ch_error *err)
{
    uint64_t at = *used, key = xattr->length + 1;

    *used += sizeof(xattr->size) + key + xattr->size;
    if (*used > INT32_MAX)
        return CH_FAIL_WITH(err, E2BIG, "listxattr", "%s", xattr->name);
    if (*used > capacity)
        return 0;
    memcpy(buffer + at, &xattr->size, sizeof(xattr->size));
    memcpy(buffer + at + sizeof(xattr->size), xattr->name, key);
    return sq_xattr_value(image, xattr, buffer + at + sizeof(xattr->size) + key, err);
}

int32_t ch_squashfs_reader_xattrs(uint64_t handle, uint64_t ref, void *buffer, uint32_t capacity,
                                  struct ch_error *err)
{
    __attribute__((cleanup(sq_xattrs_close))) struct sq_xattrs list = {0};
    struct sq *image = image_of(handle);
    struct sq_inode inode;
    struct sq_xattr xattr;
    uint64_t used = 0;
    int result = sq_inode_read(image, ref, &inode, err);

    if (result < 0 || (result = sq_xattrs_open(image, &inode, &list, err)) < 0)
        return result;
    while ((result = sq_xattrs_next(&list, &xattr, err)) > 0)
        if ((result = add_xattr(image, &xattr, buffer, capacity, &used, err)) < 0)
            break;
    return result < 0 ? result : (int32_t)used;
}

int32_t ch_squashfs_reader_read(uint64_t handle, uint64_t ref, uint64_t offset, void *buffer,
                                uint32_t size, struct ch_error *err)
{
    struct sq_inode inode;
    int result = sq_inode_read(image_of(handle), ref, &inode, err);

    return result < 0 ? result : sq_read(image_of(handle), &inode, offset, buffer, size, err);
}
