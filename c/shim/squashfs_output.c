/* The file a SquashFS image is written to; see squashfs_output.h. */
#define _GNU_SOURCE
#include "squashfs_output.h"

#include <fcntl.h>
#include <sqfs/error.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct squashfs_output {
    sqfs_file_t base; /* first: libsquashfs knows the rest not */
    int fd;
    int error;
    uint64_t size;
    char *path;
    char *temporary; /* a name beside PATH; while it is empty the file has none */
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
        ssize_t n = pread(out->fd, buffer, size, (off_t)offset);
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

static int write_at(sqfs_file_t *file, sqfs_u64 offset, const void *buffer, size_t size)
{
    struct squashfs_output *out = (struct squashfs_output *)file;
    while (size > 0) {
        ssize_t n = pwrite(out->fd, buffer, size, (off_t)offset);
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
    return 0;
}

static sqfs_u64 get_size(const sqfs_file_t *file)
{
    return ((const struct squashfs_output *)file)->size;
}

static int truncate_file(sqfs_file_t *file, sqfs_u64 size)
{
    struct squashfs_output *out = (struct squashfs_output *)file;
    if (ftruncate(out->fd, (off_t)size) != 0)
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

/* Another name beside PATH each time, hidden. */
static void name_temporary(struct squashfs_output *out)
{
    uint32_t number = 0;
    const char *slash = strrchr(out->path, '/');
    int directory = slash ? (int)(slash + 1 - out->path) : 0;
    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        number = (uint32_t)getpid();
    sprintf(out->temporary, "%.*s.ch-%08x.tmp", directory, out->path, number);
}

static int open_unnamed(const struct squashfs_output *out)
{
    const char *slash = strrchr(out->path, '/');
    char *directory =
        slash == NULL ? strdup(".") : strndup(out->path, (size_t)(slash + 1 - out->path));
    if (directory == NULL)
        return -1;
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    int error = errno;
    free(directory);
    errno = error;
    return fd;
}

static int open_named(struct squashfs_output *out)
{
    int fd;
    do {
        name_temporary(out);
        fd = open(out->temporary, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
    } while (fd < 0 && errno == EEXIST);
    if (fd < 0)
        out->temporary[0] = '\0';
    return fd;
}

int squashfs_output_open(const char *path, struct squashfs_output **result, struct ch_error *err)
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
    out->path = strdup(path);
    out->temporary = calloc(1, strlen(path) + 32);
    out->fd = -1;
    if (out->path != NULL && out->temporary != NULL) {
        out->fd = open_unnamed(out);
        /* Not every file system can (NFS, many FUSE servers). */
        if (out->fd < 0)
            out->fd = open_named(out);
    }
    if (out->fd < 0) {
        int code = CH_FAIL(err, "open", "%s", path);
        squashfs_output_close(out);
        return code;
    }
    *result = out;
    return 0;
}

/* A name for the file without one. linkat() replaces nothing, so the name is a temporary one if the
 * wanted one is taken. */
static int give_name(struct squashfs_output *out)
{
    char self[40];
    sprintf(self, "/proc/self/fd/%d", out->fd);
    if (linkat(AT_FDCWD, self, AT_FDCWD, out->path, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    if (errno != EEXIST)
        return -1;
    int result;
    do {
        name_temporary(out);
        result = linkat(AT_FDCWD, self, AT_FDCWD, out->temporary, AT_SYMLINK_FOLLOW);
    } while (result < 0 && errno == EEXIST);
    if (result < 0)
        out->temporary[0] = '\0';
    return result;
}

int squashfs_output_commit(struct squashfs_output *out, struct ch_error *err)
{
    if (fsync(out->fd) != 0)
        return CH_FAIL(err, "fsync", "%s", out->path);
    if (out->temporary[0] == '\0' && give_name(out) != 0)
        return CH_FAIL(err, "linkat", "%s", out->path);
    if (out->temporary[0] != '\0' && rename(out->temporary, out->path) != 0)
        return CH_FAIL(err, "rename", "%s", out->path);
    out->temporary[0] = '\0';
    return 0;
}

void squashfs_output_close(struct squashfs_output *out)
{
    if (out == NULL)
        return;
    int error = errno;
    if (out->temporary != NULL && out->temporary[0] != '\0')
        unlink(out->temporary);
    if (out->fd >= 0)
        close(out->fd);
    free(out->temporary);
    free(out->path);
    free(out);
    errno = error;
}

sqfs_file_t *squashfs_output_file(struct squashfs_output *out)
{
    return &out->base;
}

const char *squashfs_output_path(const struct squashfs_output *out)
{
    return out->path;
}

int squashfs_output_errno(const struct squashfs_output *out)
{
    return out->error != 0 ? out->error : EIO;
}
