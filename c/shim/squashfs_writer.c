/* Writing a SquashFS image entry by entry: file data goes through threads that compress it
 * (squashfs_data.h), names and inodes are kept in memory and written at the end by libsquashfs.
 * What the image holds depends on the entries and their order alone, not on the number of workers.
 * The file has no name until it is complete. */
#include "ch.h"

#include <sqfs/compressor.h>
#include <sqfs/error.h>
#include <sqfs/frag_table.h>
#include <sqfs/id_table.h>
#include <sqfs/io.h>
#include <sqfs/super.h>
#include <sqfs/xattr_writer.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyed_hash.h"
#include "squashfs_compressor.h"
#include "squashfs_data.h"
#include "squashfs_output.h"
#include "squashfs_tables.h"
#include "squashfs_writer.h"

static_assert(sizeof(struct ch_squashfs_settings) == 24, "ffi/squashfs_writer.ts packs this");
static_assert(sizeof(struct ch_squashfs_entry) == 56, "ffi/squashfs_writer.ts packs this");
static_assert(sizeof(struct ch_squashfs_counts) == 32, "ffi/squashfs_writer.ts reads this");

struct ch_squashfs {
    struct squashfs_output *out;
    struct keyed_hash hash;
    sqfs_super_t super;
    sqfs_compressor_t *compressor;
    sqfs_frag_table_t *fragments;
    struct squashfs_data *data;
    sqfs_id_table_t *ids;
    sqfs_xattr_writer_t *xattrs;
    struct squashfs_tree *tree;
    struct squashfs_node *file; /* whose data is being written */
    const uint64_t *stop;
};

static int fail(const struct ch_squashfs *w, int code, const char *call, struct ch_error *err)
{
    return squashfs_output_fail(w->out, code, call, err);
}

static void free_writer(struct ch_squashfs *w)
{
    if (w == NULL)
        return;
    /* First: its threads use the rest. */
    squashfs_data_free(w->data);
    sqfs_destroy(w->xattrs);
    sqfs_destroy(w->ids);
    sqfs_destroy(w->fragments);
    sqfs_destroy(w->compressor);
    squashfs_tree_free(w->tree);
    squashfs_output_close(w->out);
    free(w);
}

static int create_tables(struct ch_squashfs *w)
{
    w->fragments = sqfs_frag_table_create(0);
    w->ids = sqfs_id_table_create(0);
    w->xattrs = sqfs_xattr_writer_create(0);
    w->tree = squashfs_tree_new();
    return w->fragments && w->ids && w->xattrs && w->tree ? 0 : SQFS_ERROR_ALLOC;
}

/* Room for the superblock, and the compressor's options behind it. */
static int write_head(struct ch_squashfs *w, const struct ch_squashfs_settings *settings)
{
    sqfs_file_t *file = squashfs_output_file(w->out);
    int code = sqfs_super_init(&w->super, settings->block_size, settings->time,
                               (SQFS_COMPRESSOR)settings->compressor);
    if (code == 0)
        code = sqfs_super_write(&w->super, file);
    if (code != 0)
        return code;
    code = w->compressor->write_options(w->compressor, file);
    if (code > 0)
        w->super.flags |= SQFS_FLAG_COMPRESSOR_OPTIONS;
    return code < 0 ? code : 0;
}

static int create_data(struct ch_squashfs *w, const struct ch_squashfs_settings *settings)
{
    const struct squashfs_data_settings data = {
        .file = squashfs_output_file(w->out),
        .compressor = w->compressor,
        .fragments = w->fragments,
        .hash = &w->hash,
        .block_size = settings->block_size,
        .workers = settings->workers,
    };
    return squashfs_data_new(&data, &w->data);
}

static int begin(struct ch_squashfs *w, const char *path,
                 const struct ch_squashfs_settings *settings, struct ch_error *err)
{
    int code, result = squashfs_output_open(path, (int)settings->keep_existing, &w->out, err);

    if (result < 0)
        return result;
    if (!keyed_hash_new(&w->hash))
        return CH_FAIL(err, "getrandom", "%s", path);
    code = squashfs_compressor_create(settings, &w->compressor);
    if (code == 0)
        code = create_tables(w);
    if (code == 0)
        code = write_head(w, settings);
    if (code == 0)
        code = create_data(w, settings);
    return code == 0 ? 0 : fail(w, code, "squashfs create", err);
}

int32_t ch_squashfs_create(const char *path, const struct ch_squashfs_settings *settings,
                           uint64_t *handle, struct ch_error *err)
{
    struct ch_squashfs *w = calloc(1, sizeof(*w));
    int result;

    if (w == NULL)
        return CH_FAIL(err, "calloc", "%s", path);
    result = begin(w, path, settings, err);
    if (result < 0)
        free_writer(w);
    else
        *handle = (uint64_t)(uintptr_t)w;
    return result;
}

/* XATTRS: COUNT times a 32-bit length, the key with its NUL, and so many bytes of value. */
static int add_xattrs(struct ch_squashfs *w, struct squashfs_node *node, const uint8_t *xattrs,
                      uint32_t count, struct ch_error *err)
{
    if (count == 0)
        return 0;
    int code = sqfs_xattr_writer_begin(w->xattrs, 0);
    for (uint32_t i = 0; i < count && code == 0; i++) {
        uint32_t length;
        memcpy(&length, xattrs, sizeof(length));
        const char *key = (const char *)xattrs + sizeof(length);
        const uint8_t *value = (const uint8_t *)key + strlen(key) + 1;
        code = sqfs_xattr_writer_add(w->xattrs, key, value, length);
        xattrs = value + length;
    }
    if (code == 0)
        code = sqfs_xattr_writer_end(w->xattrs, &node->xattr);
    return code == 0 ? 0 : fail(w, code, "squashfs xattr", err);
}

static int end_file(struct ch_squashfs *w, struct ch_error *err)
{
    if (squashfs_data_missing(w->data) > 0)
        return CH_FAIL_WITH(err, 0, "squashfs append", "file has less data than was announced");
    w->file = NULL;
    return 0;
}

void squashfs_writer_watch(uint64_t handle, const uint64_t *stop)
{
    ((struct ch_squashfs *)(uintptr_t)handle)->stop = stop;
}

static bool is_stopped(const struct ch_squashfs *w)
{
    return w->stop != NULL && __atomic_load_n(w->stop, __ATOMIC_RELAXED) != 0;
}

/* All of the file behind FD, which must hold as many bytes as was announced. */
static int copy_fd(struct ch_squashfs *w, int fd, uint64_t size, const char *path,
                   struct ch_error *err)
{
    struct stat st;
    uint8_t *to;
    size_t room;

    for (uint64_t at = 0; at < size;) {
        int code = squashfs_data_room(w->data, &to, &room);
        if (code != 0)
            return fail(w, code, "squashfs append", err);
        if (is_stopped(w))
            return CH_FAIL_WITH(err, ECANCELED, "squashfs append", "%s", path);
        ssize_t n = pread(fd, to, room, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return CH_FAIL(err, "read", "%s", path);
        if (n == 0)
            return CH_FAIL_WITH(err, 0, "read", "%s: file changed while it was read", path);
        code = squashfs_data_filled(w->data, (size_t)n);
        if (code != 0)
            return fail(w, code, "squashfs append", err);
        at += (uint64_t)n;
    }
    if (fstat(fd, &st) < 0)
        return CH_FAIL(err, "fstat", "%s", path);
    if ((uint64_t)st.st_size != size)
        return CH_FAIL_WITH(err, 0, "read", "%s: file changed while it was read", path);
    return 0;
}

int32_t ch_squashfs_add(uint64_t handle, const char *path, const struct ch_squashfs_entry *entry,
                        const char *target, const void *xattrs, struct ch_error *err)
{
    struct ch_squashfs *w = (struct ch_squashfs *)(uintptr_t)handle;
    struct squashfs_node *node;
    int result;

    if (w->file != NULL)
        return CH_FAIL_WITH(err, EINVAL, "squashfs add", "%s", path);
    if (entry->type == CH_SQUASHFS_HARD_LINK)
        return squashfs_tree_link(w->tree, path, target, err);
    result = squashfs_tree_add(w->tree, path, entry, target, &node, err);
    if (result == 0)
        result = add_xattrs(w, node, xattrs, entry->xattr_count, err);
    if (result < 0 || !S_ISREG(entry->type))
        return result;

    int code = squashfs_data_begin(w->data, entry->size, &node->inode);
    if (code != 0)
        return fail(w, code, "squashfs begin file", err);
    w->file = node;
    if (entry->fd < 0)
        return 0;
    result = copy_fd(w, entry->fd, entry->size, path, err);
    return result < 0 ? result : end_file(w, err);
}

int32_t ch_squashfs_append(uint64_t handle, const void *data, uint64_t size, struct ch_error *err)
{
    struct ch_squashfs *w = (struct ch_squashfs *)(uintptr_t)handle;
    const uint8_t *bytes = data;

    if (size > squashfs_data_missing(w->data))
        return CH_FAIL_WITH(err, 0, "squashfs append", "file has more data than was announced");
    while (size > 0) {
        uint8_t *at;
        size_t room;
        int code = squashfs_data_room(w->data, &at, &room);
        if (code != 0)
            return fail(w, code, "squashfs append", err);
        if (room > size)
            room = size;
        memcpy(at, bytes, room);
        code = squashfs_data_filled(w->data, room);
        if (code != 0)
            return fail(w, code, "squashfs append", err);
        bytes += room;
        size -= room;
    }
    return 0;
}

int32_t ch_squashfs_end_file(uint64_t handle, struct ch_error *err)
{
    return end_file((struct ch_squashfs *)(uintptr_t)handle, err);
}

static int write_end(struct ch_squashfs *w)
{
    int code = squashfs_data_finish(w->data);
    if (code != 0)
        return code;
    struct squashfs_tables tables = {
        .file = squashfs_output_file(w->out),
        .super = &w->super,
        .compressor = w->compressor,
        .fragments = w->fragments,
        .ids = w->ids,
        .xattrs = w->xattrs,
        .tree = w->tree,
    };
    return squashfs_tables_write(&tables);
}

int32_t ch_squashfs_finish(uint64_t handle, struct ch_squashfs_counts *counts, struct ch_error *err)
{
    struct ch_squashfs *w = (struct ch_squashfs *)(uintptr_t)handle;
    if (w->file != NULL)
        return CH_FAIL_WITH(err, EINVAL, "squashfs finish", "%s", squashfs_output_path(w->out));
    int code = write_end(w);
    if (code != 0)
        return fail(w, code, "squashfs finish", err);
    counts->inodes = w->super.inode_count;
    counts->bytes = w->super.bytes_used;
    counts->data = squashfs_data_bytes(w->data);
    counts->fragments = sqfs_frag_table_get_size(w->fragments);
    return squashfs_output_commit(w->out, err);
}

int32_t ch_squashfs_close(uint64_t handle)
{
    free_writer((struct ch_squashfs *)(uintptr_t)handle);
    return 0;
}
