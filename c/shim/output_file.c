/* A file being written; see output_file.h. */
#define _GNU_SOURCE
#include "output_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "ch.h"

struct output_file {
    int fd;
    int keep_existing;
    char *path;
    char *temporary; /* a name beside PATH; while it is empty the file has none */
};

/* Another name beside PATH each time, hidden. */
static void name_temporary(struct output_file *out)
{
    uint32_t number = 0;
    const char *slash = strrchr(out->path, '/');
    int directory = slash ? (int)(slash + 1 - out->path) : 0;
    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        number = (uint32_t)getpid();
    sprintf(out->temporary, "%.*s.ch-%08x.tmp", directory, out->path, number);
}

static int open_unnamed(const struct output_file *out)
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

static int open_named(struct output_file *out)
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

int output_file_open(const char *path, int keep_existing, struct output_file **result,
                     struct ch_error *err)
{
    struct output_file *out = calloc(1, sizeof(*out));
    if (out == NULL)
        return CH_FAIL(err, "calloc", "%s", path);
    out->fd = -1;
    out->keep_existing = keep_existing;
    out->path = strdup(path);
    out->temporary = calloc(1, strlen(path) + 32);
    if (out->path != NULL && out->temporary != NULL) {
        out->fd = open_unnamed(out);
        /* Not every file system can (NFS, many FUSE servers). */
        if (out->fd < 0)
            out->fd = open_named(out);
    }
    if (out->fd < 0) {
        int code = CH_FAIL(err, "open", "%s", path);
        output_file_close(out);
        return code;
    }
    *result = out;
    return 0;
}

/* A name for the file without one. linkat() replaces nothing, so the name is a temporary one if the
 * wanted one is taken. */
static int give_name(struct output_file *out)
{
    char self[40];
    sprintf(self, "/proc/self/fd/%d", out->fd);
    if (linkat(AT_FDCWD, self, AT_FDCWD, out->path, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    if (errno != EEXIST || out->keep_existing)
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

int output_file_commit(struct output_file *out, struct ch_error *err)
{
    if (fsync(out->fd) != 0)
        return CH_FAIL(err, "fsync", "%s", out->path);
    if (out->temporary[0] == '\0' && give_name(out) != 0)
        return CH_FAIL(err, "linkat", "%s", out->path);
    if (out->temporary[0] == '\0')
        return 0;
    /* Not every file system has a rename() that replaces nothing. */
    if (out->keep_existing)
        return link(out->temporary, out->path) == 0 ? 0 : CH_FAIL(err, "link", "%s", out->path);
    if (rename(out->temporary, out->path) != 0)
        return CH_FAIL(err, "rename", "%s", out->path);
    out->temporary[0] = '\0';
    return 0;
}

void output_file_close(struct output_file *out)
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

int output_file_fd(const struct output_file *out)
{
    return out->fd;
}

const char *output_file_path(const struct output_file *out)
{
    return out->path;
}

int32_t ch_output_open(const char *path, int32_t keep_existing, uint64_t *handle,
                       struct ch_error *err)
{
    struct output_file *out = NULL;
    int result = output_file_open(path, keep_existing, &out, err);
    *handle = (uint64_t)(uintptr_t)out;
    return result;
}

int32_t ch_output_write(uint64_t handle, const void *data, uint64_t size, struct ch_error *err)
{
    const struct output_file *out = (struct output_file *)(uintptr_t)handle;
    const char *at = data;
    while (size > 0) {
        ssize_t n = write(out->fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return CH_FAIL(err, "write", "%s", out->path);
        at += n;
        size -= (uint64_t)n;
    }
    return 0;
}

int32_t ch_output_commit(uint64_t handle, struct ch_error *err)
{
    return output_file_commit((struct output_file *)(uintptr_t)handle, err);
}

int32_t ch_output_close(uint64_t handle)
{
    output_file_close((struct output_file *)(uintptr_t)handle);
    return 0;
}
