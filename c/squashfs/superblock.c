/* Opening an image: its first 96 bytes, and the tables they point to.
 *
 *    0 magic                 20 compressor (16)      40 bytes used (64)
 *    4 inode count           22 log2 of 12 (16)      48 id table (64)
 *    8 modification time     24 flags (16)           56 xattr table (64)
 *   12 block size            26 id count (16)        64 inode table (64)
 *   16 fragment count        28 version (16, 16)     72 directory table (64)
 *                            32 root inode (64)      80 fragment table, 88 export table (64)
 *
 * On disk: data, inodes, directories, fragments, export table, ids, xattrs. The flags only tell how
 * mksquashfs was called; every block says itself whether it is compressed. */
#include "image.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <linux/fs.h>
#include <unistd.h>

/* Caches grow to this as they are used. A node may run a hundred servers of one image, and what
 * they gave is in the kernel's page cache anyway; so they stay small. */
#define METADATA_CACHE (8u << 20)
#define DATA_CACHE (16u << 20)
#define DATA_CACHE_BLOCKS 32 /* at least: threads hold some, readahead fills some */

struct superblock {
    uint64_t id_table, xattr_table, fragment_table, export_table;
    uint32_t fragment_count;
    uint16_t compressor, id_count;
};

static int file_size(int fd, uint64_t *size, struct ch_error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return CH_FAIL(err, "fstat", "%s", "");
    if (S_ISDIR(st.st_mode))
        return CH_FAIL_WITH(err, EISDIR, "open", "%s", "");
    *size = (uint64_t)st.st_size;
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return SQ_BAD(err, "not a SquashFS image: no regular file");
    if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, size) < 0)
        return CH_FAIL(err, "ioctl", "BLKGETSIZE64");
    return 0;
}

static bool power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static int check_format(const uint8_t *raw, struct ch_error *err)
{
    uint32_t block_size = sq_get32(raw + 12);
    uint16_t block_log = sq_get16(raw + 22);

    if (sq_get32(raw) != SQ_MAGIC)
        return SQ_BAD(err, "not a SquashFS image");
    if (sq_get16(raw + 28) != 4 || sq_get16(raw + 30) != 0)
        return SQ_BAD(err, "version %u.%u is not supported, only 4.0", sq_get16(raw + 28),
                      sq_get16(raw + 30));
    if (!power_of_two(block_size) || block_size < 4096 || block_size > 1 << 20 || block_log > 20 ||
        1u << block_log != block_size)
        return SQ_BAD(err, "bad block size %u", block_size);
    return 0;
}

/* The end of the directory table: the nearest table behind it. */
static uint64_t next_table(const struct sq *image, const struct superblock *super)
{
    const uint64_t tables[] = {
        super->fragment_table,
        super->export_table,
        super->id_table,
        super->xattr_table,
        image->fragments.count > 0 ? image->fragments.blocks[0] : SQ_ABSENT,
    };
    uint64_t end = image->info.bytes_used;

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (tables[i] > image->directory_table && tables[i] < end)
            end = tables[i];
    return end;
}

static int read_superblock(struct sq *image, struct superblock *super, struct ch_error *err)
{
    uint8_t raw[SQ_SUPERBLOCK_SIZE];
    uint64_t size = 0;
    int result = file_size(image->fd, &size, err);

    if (result < 0)
        return result;
    if (size < sizeof(raw))
        return SQ_BAD(err, "not a SquashFS image: too short");
    image->info.bytes_used = sizeof(raw);
    if ((result = sq_pread(image, raw, sizeof(raw), 0, err)) < 0 ||
        (result = check_format(raw, err)) < 0)
        return result;
    image->info.inode_count = sq_get32(raw + 4);
    image->info.block_size = sq_get32(raw + 12);
    super->fragment_count = sq_get32(raw + 16);
    super->compressor = sq_get16(raw + 20);
    super->id_count = sq_get16(raw + 26);
    image->info.root = sq_get64(raw + 32);
    image->info.bytes_used = sq_get64(raw + 40);
    super->id_table = sq_get64(raw + 48);
    super->xattr_table = sq_get64(raw + 56);
    image->inode_table = sq_get64(raw + 64);
    image->directory_table = sq_get64(raw + 72);
    super->fragment_table = sq_get64(raw + 80);
    super->export_table = sq_get64(raw + 88);
    if (image->info.bytes_used > size)
        return SQ_BAD(err, "truncated: %llu of %llu bytes", (unsigned long long)size,
                      (unsigned long long)image->info.bytes_used);
    if (image->inode_table < sizeof(raw) || image->directory_table <= image->inode_table ||
        image->info.bytes_used <= image->directory_table)
        return SQ_BAD(err, "damaged superblock");
    image->inode_end = image->directory_table;
    return 0;
}

/* 64 bits of where names and values begin, 32 of the number of ids, 32 unused, then the array. */
static int open_xattrs(struct sq *image, uint64_t place, struct ch_error *err)
{
    uint8_t raw[16];
    int result;

    if (place == SQ_ABSENT)
        return 0;
    if ((result = sq_pread(image, raw, sizeof(raw), place, err)) < 0)
        return result;
    image->xattr_start = sq_get64(raw);
    image->xattr_end = place;
    if (image->xattr_start >= place)
        return SQ_BAD(err, "xattr table is damaged");
    image->info.has_xattrs = sq_get32(raw + 8) > 0;
    return sq_table_open(image, &image->xattrs, "xattr", place + sizeof(raw), sq_get32(raw + 8),
                         SQ_XATTR_ID_SIZE, err);
}

static int make_caches(struct sq *image, uint16_t compressor, struct ch_error *err)
{
    size_t block_size = image->info.block_size, blocks = DATA_CACHE / block_size;
    size_t input = block_size < 2 + SQ_METADATA_SIZE ? 2 + SQ_METADATA_SIZE : block_size;

    image->metadata = sq_block_cache_new(SQ_METADATA_SIZE, METADATA_CACHE / SQ_METADATA_SIZE);
    image->data =
        sq_block_cache_new(block_size, blocks < DATA_CACHE_BLOCKS ? DATA_CACHE_BLOCKS : blocks);
    image->zeros = calloc(1, block_size);
    if (image->metadata == NULL || image->data == NULL || image->zeros == NULL)
        return CH_FAIL_WITH(err, ENOMEM, "malloc", "caches");
    return sq_decompressor_new(compressor, input, &image->decompressor, err);
}

static int open_tables(struct sq *image, const struct superblock *super, struct ch_error *err)
{
    struct sq_inode root;
    int result;

    if (super->id_count == 0)
        return SQ_BAD(err, "no owners");
    if ((result = make_caches(image, super->compressor, err)) < 0 ||
        (result = sq_ids_read(image, super->id_table, super->id_count, err)) < 0 ||
        (result = sq_table_open(image, &image->fragments, "fragment", super->fragment_table,
                                super->fragment_count, SQ_FRAGMENT_SIZE, err)) < 0 ||
        (result = open_xattrs(image, super->xattr_table, err)) < 0)
        return result;
    image->directory_end = next_table(image, super);
    if ((result = sq_inode_read(image, image->info.root, &root, err)) < 0)
        return result;
    return root.type == SQ_DIRECTORY ? 0 : SQ_BAD(err, "the root is no directory");
}

int sq_open(int fd, struct sq **out, struct ch_error *err)
{
    struct superblock super = {0};
    struct sq *image = calloc(1, sizeof(*image));
    int result;

    if (image == NULL)
        return CH_FAIL(err, "calloc", "%zu", sizeof(*image));
    image->fd = fd;
    pthread_mutex_init(&image->checkpoint_lock, NULL);
    result = read_superblock(image, &super, err);
    if (result == 0)
        result = open_tables(image, &super, err);
    if (result < 0) {
        image->fd = -1; /* still the caller's */
        sq_close(image);
        return result;
    }
    *out = image;
    return 0;
}

void sq_close(struct sq *image)
{
    if (image == NULL)
        return;
    sq_readahead_stop(image);
    sq_block_cache_free(image->metadata);
    sq_block_cache_free(image->data);
    sq_decompressor_free(image->decompressor);
    free(image->ids);
    free(image->fragments.blocks);
    free(image->xattrs.blocks);
    free(image->zeros);
    pthread_mutex_destroy(&image->checkpoint_lock);
    if (image->fd >= 0)
        close(image->fd);
    free(image);
}

const struct sq_info *sq_info(const struct sq *image)
{
    return &image->info;
}
