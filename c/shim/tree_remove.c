/* Removing trees: by descriptors, whatever modes and depth, but never beyond a mount point. */
#include "tree.h"

#include <stdio.h>
#include <string.h>

/* The mount a descriptor lies on, from /proc (Linux 3.15); -1 if it cannot be told. */
static long mount_of(int fd)
{
    char path[48], text[256], *found;

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    TREE_CLOSE int info = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = info < 0 ? -1 : read(info, text, sizeof(text) - 1);
    if (length < 0)
        return -1;
    text[length] = '\0';
    found = strstr(text, "mnt_id:");
    return found == NULL ? -1 : strtol(found + strlen("mnt_id:"), NULL, 10);
}

/* Refused with EXDEV if NAME is a mount point: openat2 sees to that. Before Linux 5.6 the mounts
 * are compared; the device number alone would not tell a bind mount of the same file system. */
static int open_on_same_mount(int dirfd, const char *name, int flags)
{
    struct stat above, here;

    int fd = tree_openat2(dirfd, name, flags, TREE_NO_XDEV);
    if (fd >= 0 || !tree_needs_fallback(errno))
        return fd;
    fd = openat(dirfd, name, flags);
    if (fd < 0)
        return -1;
    if (tree_stat_at(dirfd, "", &above) == 0 && tree_stat_at(fd, "", &here) == 0 &&
        above.st_dev == here.st_dev && mount_of(dirfd) == mount_of(fd))
        return fd;
    close(fd);
    errno = EXDEV;
    return -1;
}

/* Our own directories may forbid us to read or change them. */
static int open_directory(int dirfd, const char *name)
{
    int fd = open_on_same_mount(dirfd, name, TREE_DIRECTORY);

    if (fd >= 0 || errno != EACCES)
        return fd;
    TREE_CLOSE int look = open_on_same_mount(dirfd, name, TREE_LOOK | O_DIRECTORY);
    if (look < 0 || tree_chmod_fd(look, 0700) != 0)
        return -1;
    return open_on_same_mount(dirfd, name, TREE_DIRECTORY);
}

static int unlink_name(int dirfd, const char *name, int flags)
{
    if (unlinkat(dirfd, name, flags) == 0 || errno == ENOENT)
        return 0;
    if (errno != EACCES && errno != EPERM)
        return -1;
    int saved = errno;
    struct stat st;
    if (tree_stat_at(dirfd, "", &st) != 0 || (st.st_mode & 0300) == 0300 ||
        fchmod(dirfd, (st.st_mode & 07777) | 0700) != 0) {
        errno = saved;
        return -1;
    }
    return unlinkat(dirfd, name, flags);
}

static int remove_below(int fd, struct tree_path *path, uint64_t *removed, struct ch_error *err)
{
    TREE_NAMES names;
    struct tree_name entry;

    if (tree_read_names(fd, &names) != 0)
        return CH_FAIL(err, "getdents64", "%s", path->text);
    for (size_t at = 0; tree_next_name(&names, &at, &entry);) {
        int result = tree_remove_at(fd, entry.name, path, removed, err);
        if (result < 0)
            return result;
    }
    return 0;
}

static int remove_directory(int dirfd, const char *name, struct tree_path *path, uint64_t *removed,
                            struct ch_error *err)
{
    TREE_CLOSE int fd = open_directory(dirfd, name);

    if (fd < 0 && errno == EXDEV)
        return CH_FAIL(err, "remove: mount point", "%s", path->text);
    if (fd < 0)
        return errno == ENOENT ? 0 : CH_FAIL(err, "openat", "%s", path->text);
    int result = remove_below(fd, path, removed, err);
    if (result < 0)
        return result;
    if (unlink_name(dirfd, name, AT_REMOVEDIR) == 0) {
        ++*removed;
        return 0;
    }
    return CH_FAIL(err, "rmdir", "%s", path->text);
}

int tree_remove_at(int dirfd, const char *name, struct tree_path *path, uint64_t *removed,
                   struct ch_error *err)
{
    size_t before = tree_path_push(path, name);
    int result = 0;

    if (before == (size_t)-1)
        return CH_FAIL(err, "malloc", "%s", name);
    /* Mostly files: tried as one first. Linux says EISDIR for a directory, POSIX EPERM. */
    if (unlink_name(dirfd, name, 0) == 0)
        ++*removed;
    else if (errno == EISDIR)
        result = remove_directory(dirfd, name, path, removed, err);
    else
        result =
            CH_FAIL(err, errno == EBUSY ? "remove: mount point" : "unlinkat", "%s", path->text);
    if (result == 0)
        tree_path_cut(path, before);
    return result;
}

int32_t ch_tree_remove_tree(int32_t dirfd, const char *path, struct ch_error *err)
{
    __attribute__((cleanup(tree_free_path))) struct tree_path at = {0};
    TREE_PARENT parent;
    uint64_t removed = 0;

    if (tree_find_parent(dirfd, path, &parent) != 0)
        return errno == ENOENT ? 0 : CH_FAIL(err, "openat", "%s", path);
    if (path[0] == '\0')
        return CH_FAIL_WITH(err, EINVAL, "remove", "%s", path);
    if (parent.name != path) {
        TREE_FREE char *above = strndup(path, (size_t)(parent.name - 1 - path));
        if (above == NULL || tree_path_push(&at, above) == (size_t)-1)
            return CH_FAIL(err, "malloc", "%s", path);
    }
    if (!parent.owned)
        return tree_remove_at(parent.fd, parent.name, &at, &removed, err);
    /* Parents are opened O_PATH, on which fchmod does not work. */
    TREE_CLOSE int readable = openat(parent.fd, ".", TREE_DIRECTORY);
    return tree_remove_at(readable >= 0 ? readable : parent.fd, parent.name, &at, &removed, err);
}
