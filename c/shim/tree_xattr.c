/* Extended attributes. All through /proc/self/fd/N of an O_PATH descriptor, because listing and
 * changing them needs no right to read the file's content. */
#include "tree.h"

#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#define OVERLAY "user.overlay."

struct proc_path {
    char text[40];
};

static struct proc_path path_of(int fd)
{
    struct proc_path path;
    snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
    return path;
}

bool tree_xattr_is(const char *name, enum tree_xattr_choice choice)
{
    bool overlay = strncmp(name, OVERLAY, strlen(OVERLAY)) == 0;
    if (choice == TREE_XATTRS_OVERLAY)
        return overlay;
    return !overlay && (strncmp(name, "user.", 5) == 0 ||
                        strncmp(name, "system.posix_acl_", strlen("system.posix_acl_")) == 0);
}

/* The names, each with its NUL; their total length, 0 also where there can be none. */
static ssize_t list_names(int fd, char **out)
{
    struct proc_path path = path_of(fd);

    *out = NULL;
    for (;;) {
        ssize_t size = listxattr(path.text, NULL, 0);
        if (size <= 0)
            return size < 0 && errno != ENOTSUP ? -1 : 0;
        char *grown = realloc(*out, (size_t)size);
        if (grown == NULL)
            return -1;
        *out = grown;
        ssize_t got = listxattr(path.text, grown, (size_t)size);
        if (got >= 0 || errno != ERANGE)
            return got;
    }
}

/* *OUT is to be freed; -1 and ENODATA if it has gone meanwhile. */
static ssize_t read_value(int fd, const char *name, char **out)
{
    struct proc_path path = path_of(fd);

    *out = NULL;
    for (;;) {
        ssize_t size = getxattr(path.text, name, NULL, 0);
        if (size < 0)
            return -1;
        char *grown = realloc(*out, (size_t)size + 1);
        if (grown == NULL)
            return -1;
        *out = grown;
        ssize_t got = getxattr(path.text, name, grown, (size_t)size);
        if (got >= 0 || errno != ERANGE)
            return got;
    }
}

int tree_copy_xattrs(int from, int to, bool replace)
{
    TREE_FREE char *names = NULL;
    TREE_FREE char *old = NULL;
    struct proc_path target = path_of(to);
    ssize_t size = list_names(from, &names);

    if (size < 0)
        return -1;
    if (replace) {
        ssize_t old_size = list_names(to, &old);
        for (const char *name = old; old_size > 0 && name < old + old_size;
             name += strlen(name) + 1)
            if (tree_xattr_is(name, TREE_XATTRS_USER) && removexattr(target.text, name) != 0 &&
                errno != ENODATA)
                return -1;
    }
    for (const char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
        TREE_FREE char *value = NULL;
        ssize_t length;

        if (!tree_xattr_is(name, TREE_XATTRS_USER))
            continue;
        if ((length = read_value(from, name, &value)) < 0) {
            if (errno == ENODATA)
                continue;
            return -1;
        }
        if (setxattr(target.text, name, value, (size_t)length, 0) != 0 && errno != ENOTSUP)
            return -1;
    }
    return 0;
}

/* By the list, which can be read even where the values cannot. */
bool tree_has_xattr(int fd, const char *name)
{
    TREE_FREE char *names = NULL;
    ssize_t size = list_names(fd, &names);

    for (const char *at = names; size > 0 && at < names + size; at += strlen(at) + 1)
        if (strcmp(at, name) == 0)
            return true;
    return false;
}

bool tree_has_user_xattrs(int fd)
{
    TREE_FREE char *names = NULL;
    ssize_t size = list_names(fd, &names);

    for (const char *at = names; size > 0 && at < names + size; at += strlen(at) + 1)
        if (tree_xattr_is(at, TREE_XATTRS_USER))
            return true;
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

ssize_t tree_pack_xattrs(int fd, char **out)
{
    TREE_FREE char *names = NULL;
    TREE_FREE const char **sorted = NULL;
    ssize_t size = list_names(fd, &names);
    size_t count = 0, used = 0;

    *out = NULL;
    for (const char *at = names; size > 0 && at < names + size; at += strlen(at) + 1) {
        if (!tree_xattr_is(at, TREE_XATTRS_USER))
            continue;
        const char **grown = realloc(sorted, (count + 1) * sizeof(*sorted));
        if (grown == NULL)
            return -1;
        sorted = grown;
        sorted[count++] = at;
    }
    if (count > 0)
        qsort(sorted, count, sizeof(*sorted), compare_names);
    for (size_t i = 0; i < count; i++) {
        TREE_FREE char *value = NULL;
        ssize_t length = read_value(fd, sorted[i], &value);
        if (length < 0 && errno == ENODATA)
            continue;
        if (length < 0)
            return -1;
        uint32_t sizes[2] = {(uint32_t)strlen(sorted[i]), (uint32_t)length};
        char *grown = realloc(*out, used + sizeof(sizes) + sizes[0] + sizes[1]);
        if (grown == NULL)
            return -1;
        *out = grown;
        memcpy(grown + used, sizes, sizeof(sizes));
        memcpy(grown + used + sizeof(sizes), sorted[i], sizes[0]);
        memcpy(grown + used + sizeof(sizes) + sizes[0], value, sizes[1]);
        used += sizeof(sizes) + sizes[0] + sizes[1];
    }
    return (ssize_t)used;
}

int tree_unpack_xattrs(int fd, const char *packed, size_t size)
{
    struct proc_path path = path_of(fd);

    for (size_t at = 0; at < size;) {
        uint32_t sizes[2];
        char name[256];

        if (size - at < sizeof(sizes))
            break;
        memcpy(sizes, packed + at, sizeof(sizes));
        at += sizeof(sizes);
        if (sizes[0] >= sizeof(name) || sizes[0] > size - at || sizes[1] > size - at - sizes[0]) {
            errno = EBADMSG;
            return -1;
        }
        memcpy(name, packed + at, sizes[0]);
        name[sizes[0]] = '\0';
        if (setxattr(path.text, name, packed + at + sizes[0], sizes[1], 0) != 0 && errno != ENOTSUP)
            return -1;
        at += sizes[0] + sizes[1];
    }
    return 0;
}

int tree_strip_overlay_xattrs(int fd)
{
    TREE_FREE char *names = NULL;
    struct proc_path path = path_of(fd);
    ssize_t size = list_names(fd, &names);

    if (size < 0)
        return -1;
    for (const char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
        struct stat st;

        if (!tree_xattr_is(name, TREE_XATTRS_OVERLAY) || removexattr(path.text, name) == 0)
            continue;
        if (errno == ENODATA)
            continue;
        /* user.* of a file can be changed only by who may write it, even for its owner. */
        if (errno != EACCES || tree_stat_at(fd, "", &st) != 0 ||
            chmod(path.text, (st.st_mode & 07777) | 0600) != 0)
            return -1;
        int result = removexattr(path.text, name);
        if (chmod(path.text, st.st_mode & 07777) != 0 || result != 0)
            return -1;
    }
    return 0;
}

/* Opens what attributes can be read from; -2 for a symbolic link. */
static int open_for_xattrs(int dirfd, const char *path)
{
    struct stat st;
    int fd = path[0] == '\0' ? fcntl(dirfd, F_DUPFD_CLOEXEC, 3)
                             : tree_open_beneath(dirfd, path, TREE_LOOK);

    if (fd >= 0 && tree_stat_at(fd, "", &st) == 0 && S_ISLNK(st.st_mode)) {
        close(fd);
        return -2;
    }
    return fd;
}

int32_t ch_tree_get_xattrs(int32_t dirfd, const char *path, void *buffer, uint32_t capacity,
                           struct ch_filled *filled, struct ch_error *err)
{
    TREE_CLOSE int fd = open_for_xattrs(dirfd, path);
    TREE_FREE char *names = NULL;
    char *at = buffer;

    *filled = (struct ch_filled){0, 0};
    if (fd == -2)
        return 0;
    if (fd < 0)
        return CH_FAIL(err, "openat", "%s", path);
    ssize_t size = list_names(fd, &names);
    if (size < 0)
        return CH_FAIL(err, "listxattr", "%s", path);

    for (const char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
        TREE_FREE char *value = NULL;
        ssize_t length = read_value(fd, name, &value);
        uint32_t sizes[2] = {(uint32_t)strlen(name), (uint32_t)length};

        if (length < 0) {
            if (errno == ENODATA)
                continue;
            return CH_FAIL(err, "getxattr", "%s", path);
        }
        filled->count++;
        filled->needed += sizeof(sizes) + sizes[0] + sizes[1];
        if (filled->needed > capacity)
            continue;
        memcpy(at, sizes, sizeof(sizes));
        memcpy(at + sizeof(sizes), name, sizes[0]);
        memcpy(at + sizeof(sizes) + sizes[0], value, sizes[1]);
        at += sizeof(sizes) + sizes[0] + sizes[1];
    }
    return 0;
}

int32_t ch_tree_set_xattr(int32_t dirfd, const char *path, const char *name, const void *value,
                          uint32_t size, struct ch_error *err)
{
    TREE_CLOSE int fd = open_for_xattrs(dirfd, path);

    if (fd == -2)
        return CH_FAIL_WITH(err, ELOOP, "setxattr", "%s", path);
    if (fd < 0)
        return CH_FAIL(err, "openat", "%s", path);
    if (setxattr(path_of(fd).text, name, value, size, 0) != 0)
        return CH_FAIL(err, "setxattr", "%s", path);
    return 0;
}
