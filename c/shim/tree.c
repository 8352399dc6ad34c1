/* One thing at a time in an image tree: open, look, make, change. Nothing here follows a symbolic
 * link that lies in the tree; whole trees are in tree_copy.c, tree_remove.c and tree_overlay.c. */
#include "tree.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

void tree_fill_stat(const struct stat *st, struct ch_stat *out)
{
    *out = (struct ch_stat){
        .dev = st->st_dev,
        .ino = st->st_ino,
        .size = (uint64_t)st->st_size,
        .mtime = st->st_mtim.tv_sec,
        .ctime = st->st_ctim.tv_sec,
        .mtime_nsec = (uint32_t)st->st_mtim.tv_nsec,
        .ctime_nsec = (uint32_t)st->st_ctim.tv_nsec,
        .mode = st->st_mode,
        .nlink = (uint32_t)st->st_nlink,
        .uid = st->st_uid,
        .gid = st->st_gid,
        .rdev_major = major(st->st_rdev),
        .rdev_minor = minor(st->st_rdev),
    };
}

int32_t ch_tree_open_root(const char *path, struct ch_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? CH_FAIL(err, "open", "%s", path) : fd;
}

int32_t ch_tree_open_directory(int32_t dirfd, const char *path, struct ch_error *err)
{
    int fd = tree_open_beneath(dirfd, path, TREE_DIRECTORY);
    return fd < 0 ? CH_FAIL(err, "openat", "%s", path) : fd;
}

int32_t ch_tree_open_file(int32_t dirfd, const char *path, uint64_t *size, struct ch_error *err)
{
    TREE_PARENT parent;
    struct stat st;

    if (tree_find_parent(dirfd, path, &parent) != 0)
        return CH_FAIL(err, "openat", "%s", path);
    /* Looked at first: merely opening a device can do something to it. */
    if (tree_stat_at(parent.fd, parent.name, &st) != 0)
        return CH_FAIL(err, "fstatat", "%s", path);
    if (S_ISREG(st.st_mode)) {
        int fd = openat(parent.fd, parent.name,
                        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
            return CH_FAIL(err, "openat", "%s", path);
        if (tree_stat_at(fd, "", &st) == 0 && S_ISREG(st.st_mode)) {
            *size = (uint64_t)st.st_size;
            return fd;
        }
        close(fd);
    }
    return CH_FAIL_WITH(err,
                        S_ISDIR(st.st_mode)   ? EISDIR
                        : S_ISLNK(st.st_mode) ? ELOOP
                                              : EINVAL,
                        "open regular file", "%s", path);
}

int32_t ch_tree_close(int32_t fd, struct ch_error *err)
{
    return close(fd) != 0 ? CH_FAIL(err, "close", "%d", fd) : 0;
}

int32_t ch_tree_stat(int32_t dirfd, const char *path, struct ch_stat *out, struct ch_error *err)
{
    TREE_PARENT parent;
    struct stat st;

    if (tree_find_parent(dirfd, path, &parent) != 0 ||
        tree_stat_at(parent.fd, parent.name, &st) != 0)
        return CH_FAIL(err, "fstatat", "%s", path);
    tree_fill_stat(&st, out);
    return 0;
}

int32_t ch_tree_readlink(int32_t dirfd, const char *path, char *buffer, uint32_t capacity,
                         struct ch_error *err)
{
    TREE_PARENT parent;

    if (tree_find_parent(dirfd, path, &parent) != 0)
        return CH_FAIL(err, "readlinkat", "%s", path);
    ssize_t length = readlinkat(parent.fd, parent.name, buffer, capacity);
    return length < 0 ? CH_FAIL(err, "readlinkat", "%s", path) : (int32_t)length;
}

int32_t ch_tree_create(int32_t dirfd, const char *path, uint32_t mode, struct ch_error *err)
{
    TREE_PARENT parent;

    if (tree_find_parent(dirfd, path, &parent) != 0)
        return CH_FAIL(err, "openat", "%s", path);
    int fd =
        openat(parent.fd, parent.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fchmod(fd, mode) != 0) {
        tree_close_fd(&fd);
        return CH_FAIL(err, fd < 0 ? "openat" : "fchmod", "%s", path);
    }
    return fd;
}

int32_t ch_tree_mkdir(int32_t dirfd, const char *path, uint32_t mode, struct ch_error *err)
{
    TREE_PARENT parent;

    if (tree_find_parent(dirfd, path, &parent) != 0 || mkdirat(parent.fd, parent.name, 0700) != 0)
        return CH_FAIL(err, "mkdirat", "%s", path);
    if (tree_chmod_at(parent.fd, parent.name, mode) != 0)
        return CH_FAIL(err, "chmod", "%s", path);
    return 0;
}

int32_t ch_tree_symlink(const char *target, int32_t dirfd, const char *path, struct ch_error *err)
{
    TREE_PARENT parent;

    if (tree_find_parent(dirfd, path, &parent) != 0 ||
        symlinkat(target, parent.fd, parent.name) != 0)
        return CH_FAIL(err, "symlinkat", "%s", path);
    return 0;
}

int32_t ch_tree_link(int32_t fromfd, const char *from, int32_t dirfd, const char *path,
                     struct ch_error *err)
{
    TREE_PARENT source, parent;

    parent.owned = false;
    if (tree_find_parent(fromfd, from, &source) != 0)
        return CH_FAIL(err, "linkat", "%s", from);
    if (tree_find_parent(dirfd, path, &parent) != 0 ||
        linkat(source.fd, source.name, parent.fd, parent.name, 0) != 0)
        return CH_FAIL(err, "linkat", "%s", path);
    return 0;
}

int32_t ch_tree_put(int32_t dirfd, const char *path, const void *data, uint32_t size, uint32_t mode,
                    int64_t mtime, uint32_t mtime_nsec, struct ch_error *err)
{
    TREE_CLOSE int fd = ch_tree_create(dirfd, path, 0600, err);

    if (fd < 0)
        return fd;
    int32_t result = ch_tree_write(fd, data, size, 0, err);
    return result < 0 ? result : ch_tree_finish_file(fd, size, mode, mtime, mtime_nsec, err);
}

int32_t ch_tree_chmod(int32_t dirfd, const char *path, uint32_t mode, struct ch_error *err)
{
    TREE_PARENT parent;

    if (tree_find_parent(dirfd, path, &parent) != 0 ||
        tree_chmod_at(parent.fd, parent.name, mode) != 0)
        return CH_FAIL(err, "chmod", "%s", path);
    return 0;
}

int32_t ch_tree_chown(int32_t dirfd, const char *path, uint32_t uid, uint32_t gid,
                      struct ch_error *err)
{
    TREE_PARENT parent;

    if (tree_find_parent(dirfd, path, &parent) != 0 ||
        fchownat(parent.fd, parent.name, uid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0)
        return CH_FAIL(err, "fchownat", "%s", path);
    return 0;
}

int32_t ch_tree_set_mtime(int32_t dirfd, const char *path, int64_t mtime, uint32_t mtime_nsec,
                          struct ch_error *err)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = mtime, .tv_nsec = mtime_nsec}};
    TREE_PARENT parent;

    if (tree_find_parent(dirfd, path, &parent) != 0 ||
        (path[0] == '\0' ? futimens(dirfd, times)
                         : utimensat(parent.fd, parent.name, times, AT_SYMLINK_NOFOLLOW)) != 0)
        return CH_FAIL(err, "utimensat", "%s", path);
    return 0;
}

static int32_t unlink_with(int32_t dirfd, const char *path, int flags, const char *call,
                           struct ch_error *err)
{
    TREE_PARENT parent;

    if (tree_find_parent(dirfd, path, &parent) != 0 || unlinkat(parent.fd, parent.name, flags) != 0)
        return CH_FAIL(err, call, "%s", path);
    return 0;
}

int32_t ch_tree_unlink(int32_t dirfd, const char *path, struct ch_error *err)
{
    return unlink_with(dirfd, path, 0, "unlinkat", err);
}

int32_t ch_tree_rmdir(int32_t dirfd, const char *path, struct ch_error *err)
{
    return unlink_with(dirfd, path, AT_REMOVEDIR, "rmdir", err);
}

int32_t ch_tree_rename(int32_t fromfd, const char *from, int32_t tofd, const char *to,
                       uint32_t flags, struct ch_error *err)
{
    TREE_PARENT source, target;

    target.owned = false;
    if (tree_find_parent(fromfd, from, &source) != 0)
        return CH_FAIL(err, "renameat2", "%s", from);
    if (tree_find_parent(tofd, to, &target) != 0 ||
        (flags == 0 ? renameat(source.fd, source.name, target.fd, target.name)
                    : (int)syscall(SYS_renameat2, source.fd, source.name, target.fd, target.name,
                                   flags)) != 0)
        return CH_FAIL(err, "renameat2", "%s", to);
    return 0;
}
