/* Paths of the host, named in bytes: what Deno's own functions cannot do where a name is not UTF-8.
 * Trees of images are tree.c's. */
#include "tree.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

/* An O_PATH descriptor of an absolute path without links. */
static int look_without_links(const char *path)
{
    TREE_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    return root < 0 ? -1 : tree_open_beneath(root, path + strspn(path, "/"), TREE_LOOK);
}

static int stat_path(const char *path, int32_t links, struct stat *st)
{
    if (links != CH_LINKS_REFUSE)
        return fstatat(AT_FDCWD, path, st, links == CH_LINKS_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW);
    TREE_CLOSE int fd = look_without_links(path);
    return fd < 0 ? -1 : fstat(fd, st);
}

int32_t ch_path_mode(const char *path, int32_t links, struct ch_error *err)
{
    struct stat st;

    if (stat_path(path, links, &st) < 0)
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

static ssize_t read_link(const char *path, int32_t links, char *buffer, uint32_t capacity)
{
    if (links != CH_LINKS_REFUSE)
        return readlink(path, buffer, capacity);
    TREE_CLOSE int fd = look_without_links(path);
    return fd < 0 ? -1 : readlinkat(fd, "", buffer, capacity);
}

int32_t ch_path_readlink(const char *path, int32_t links, char *buffer, uint32_t capacity,
                         struct ch_error *err)
{
    ssize_t length = read_link(path, links, buffer, capacity);

    if (length < 0)
        return CH_FAIL(err, "readlink", "%s", path);
    if ((size_t)length == capacity)
        return CH_FAIL_WITH(err, ERANGE, "readlink", "%s", path);
    return (int32_t)length;
}

int32_t ch_path_list(const char *path, char *buffer, uint32_t capacity, struct ch_error *err)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    uint32_t used = 0;

    if (dir == NULL)
        return CH_FAIL(err, "opendir", "%s", path);
    while ((entry = readdir(dir)) != NULL) {
        size_t size = strlen(entry->d_name) + 1;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (size > capacity - used) {
            closedir(dir);
            return CH_FAIL_WITH(err, ERANGE, "readdir", "%s", path);
        }
        memcpy(buffer + used, entry->d_name, size);
        used += (uint32_t)size;
    }
    closedir(dir);
    return (int32_t)used;
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

/* Looks before it opens: a FIFO would block, and a device may do something. */
static int open_file_without_links(const char *path)
{
    TREE_CLOSE int fd = look_without_links(path);
    struct stat st;
    char name[64];

    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISLNK(st.st_mode) ? ELOOP : S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        return -1;
    }
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    return open(name, O_RDONLY | O_CLOEXEC);
}

int32_t ch_path_open(const char *path, int32_t links, struct ch_error *err)
{
    int fd = links == CH_LINKS_REFUSE ? open_file_without_links(path)
                                      : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

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
