/* libsquashfs' view of the file an image is written to; see squashfs_output.h. */
#define _GNU_SOURCE
#include "squashfs_output.h"

#include <fcntl.h>
#include <sqfs/error.h>
#include <stdlib.h>
#include <unistd.h>

#include "output_file.h"

#define WRITEBACK (8u << 20)

struct squashfs_output {
    sqfs_file_t base; /* first: libsquashfs knows the rest not */
    struct output_file *file;
    int error;
    uint64_t size;
    uint64_t started; /* bytes that are on their way to the disk */
};

static int remember(const sqfs_file_t *file, int error)
{
    ((struct squashfs_output *)(uintptr_t)file)->error = error;
    return SQFS_ERROR_IO;
}

static int read_at(sqfs_file_t *file, sqfs_u64 offset, void *buffer, size_t size)
{
    struct squashfs_output *out = (struct squashfs_output *)file;
    while (size > 0) {
        ssize_t n = pread(output_file_fd(out->file), buffer, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? remember(file, errno) : SQFS_ERROR_OUT_OF_BOUNDS;
        buffer = (char *)buffer + n;
        size -= (size_t)n;
        offset += (sqfs_u64)n;
    }
    return 0;
}

/* So that the disk works while we compress, and fsync(2) at the end has little left to wait for. A
 * file system that cannot do it has lost nothing. */
static void start_writeback(struct squashfs_output *out)
{
    if (out->size - out->started < WRITEBACK)
        return;
    sync_file_range(output_file_fd(out->file), (off_t)out->started,
                    (off_t)(out->size - out->started), SYNC_FILE_RANGE_WRITE);
    out->started = out->size;
}

static int write_at(sqfs_file_t *file, sqfs_u64 offset, const void *buffer, size_t size)
{
    struct squashfs_output *out = (struct squashfs_output *)file;
    while (size > 0) {
        ssize_t n = pwrite(output_file_fd(out->file), buffer, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return remember(file, errno);
        buffer = (const char *)buffer + n;
        size -= (size_t)n;
        offset += (sqfs_u64)n;
        if (offset > out->size)
            out->size = offset;
    }
    start_writeback(out);
    return 0;
}

static sqfs_u64 get_size(const sqfs_file_t *file)
{
    return ((const struct squashfs_output *)file)->size;
}

static int truncate_file(sqfs_file_t *file, sqfs_u64 size)
{
    struct squashfs_output *out = (struct squashfs_output *)file;
    if (ftruncate(output_file_fd(out->file), (off_t)size) != 0)
        return remember(file, errno);
    out->size = size;
    return 0;
}

static void destroy_nothing(sqfs_object_t *object)
{
    (void)object;
}

static sqfs_object_t *copy_nothing(const sqfs_object_t *object)
{
    (void)object;
    return NULL;
}

int squashfs_output_open(const char *path, int keep_existing, struct squashfs_output **result,
                         struct ch_error *err)
{
    struct squashfs_output *out = calloc(1, sizeof(*out));
    if (out == NULL)
        return CH_FAIL(err, "calloc", "%s", path);
    out->base.base.destroy = destroy_nothing;
    out->base.base.copy = copy_nothing;
    out->base.read_at = read_at;
    out->base.write_at = write_at;
    out->base.get_size = get_size;
    out->base.truncate = truncate_file;
    int code = output_file_open(path, keep_existing, &out->file, err);
    if (code < 0) {
        free(out);
        return code;
    }
    *result = out;
    return 0;
}

int squashfs_output_commit(struct squashfs_output *out, struct ch_error *err)
{
    return output_file_commit(out->file, err);
}

void squashfs_output_close(struct squashfs_output *out)
{
    if (out == NULL)
        return;
    output_file_close(out->file);
    free(out);
}

sqfs_file_t *squashfs_output_file(struct squashfs_output *out)
{
    return &out->base;
}

const char *squashfs_output_path(const struct squashfs_output *out)
{
    return output_file_path(out->file);
}

int squashfs_output_fail(const struct squashfs_output *out, int code, const char *call,
                         struct ch_error *err)
{
    const char *path = squashfs_output_path(out);

    switch (code) {
    case SQFS_ERROR_ALLOC:
        return CH_FAIL_WITH(err, ENOMEM, call, "%s", path);
    case SQFS_ERROR_IO:
        /* libsquashfs does not tell more, but we were called by it. */
        return CH_FAIL_WITH(err, out->error != 0 ? out->error : EIO, call, "%s", path);
    case SQFS_ERROR_UNSUPPORTED:
        return CH_FAIL_WITH(err, EOPNOTSUPP, call, "%s", path);
    case SQFS_ERROR_OVERFLOW:
        return CH_FAIL_WITH(err, EOVERFLOW, call, "%s", path);
    case SQFS_ERROR_SUPER_BLOCK_SIZE:
    case SQFS_ERROR_ARG_INVALID:
        return CH_FAIL_WITH(err, EINVAL, call, "%s", path);
    default:
        return CH_FAIL_WITH(err, 0, call, "%s: libsquashfs error %d", path, code);
    }
}
