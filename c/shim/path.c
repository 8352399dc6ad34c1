/* Paths of the host, named in bytes: what Deno's own functions cannot do where a name is not UTF-8.
 * Trees of images are tree.c's. */
#define _GNU_SOURCE
#include "../ch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

int32_t ch_path_mode(const char *path, int32_t follow, struct ch_error *err)
{
    struct stat st;

    if (fstatat(AT_FDCWD, path, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
        return CH_FAIL(err, "stat", "%s", path);
    return (int32_t)st.st_mode;
}

int32_t ch_path_real(const char *path, char *buffer, uint32_t capacity, struct ch_error *err)
{
    char *real = realpath(path, NULL);
    size_t length;

    if (real == NULL)
        return CH_FAIL(err, "realpath", "%s", path);
    length = strlen(real);
    if (length > capacity) {
        free(real);
        return CH_FAIL_WITH(err, ERANGE, "realpath", "%s", path);
    }
    memcpy(buffer, real, length);
    free(real);
    return (int32_t)length;
}

int32_t ch_path_readlink(const char *path, char *buffer, uint32_t capacity, struct ch_error *err)
{
    ssize_t length = readlink(path, buffer, capacity);

    if (length < 0)
        return CH_FAIL(err, "readlink", "%s", path);
    if ((size_t)length == capacity)
        return CH_FAIL_WITH(err, ERANGE, "readlink", "%s", path);
    return (int32_t)length;
}

int32_t ch_path_identity(const char *path, uint64_t out[3], struct ch_error *err)
{
    struct statx st;

    if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &st) < 0)
        return CH_FAIL(err, "statx", "%s", path);
    out[0] = st.stx_ino;
    out[1] = st.stx_mask & STATX_BTIME ? (uint64_t)st.stx_btime.tv_sec : 0;
    out[2] = st.stx_mask & STATX_BTIME ? st.stx_btime.tv_nsec : 0;
    return 0;
}

int32_t ch_path_xattr(const char *path, const char *name, char *buffer, uint32_t capacity,
                      struct ch_error *err)
{
    ssize_t length = lgetxattr(path, name, buffer, capacity);

    return length < 0 ? CH_FAIL(err, "lgetxattr", "%s", path) : (int32_t)length;
}

int32_t ch_path_open(const char *path, struct ch_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    return fd < 0 ? CH_FAIL(err, "open", "%s", path) : fd;
}

int32_t ch_path_read(int32_t fd, void *buffer, uint32_t capacity, const char *path,
                     struct ch_error *err)
{
    ssize_t count;

    do
        count = read(fd, buffer, capacity);
    while (count < 0 && errno == EINTR);
    return count < 0 ? CH_FAIL(err, "read", "%s", path) : (int32_t)count;
}

int32_t ch_path_close(int32_t fd)
{
    return close(fd) < 0 ? -errno : 0;
}
