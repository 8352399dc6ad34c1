/* Reaching things beneath a directory, never following a link: what all of tree*.c rests on. */
#include "tree.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

int tree_openat2(int dirfd, const char *path, int flags, uint64_t resolve)
{
    /* Declared here because older headers do not have it. */
    struct {
        uint64_t flags, mode, resolve;
    } how = {.flags = (unsigned)flags, .resolve = resolve};

    return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

bool tree_needs_fallback(int errnum)
{
    return errnum == ENOSYS || errnum == EPERM || errnum == EAGAIN;
}

/* Next component of a path: its start, its length; 0 at the end. Dots alone are passed over. */
static size_t next_component(const char **at)
{
    for (;;) {
        while (**at == '/')
            (*at)++;
        size_t length = strcspn(*at, "/");
        if (length != 1 || **at != '.')
            return length;
        (*at)++;
    }
}

/* Paths that could lead out of the tree are a caller's mistake or an attack: refused before the
 * kernel sees them. */
static bool stays_beneath(const char *path)
{
    if (path[0] == '/')
        return false;
    for (const char *at = path; *at != '\0';) {
        size_t length = next_component(&at);
        if (length == 2 && at[0] == '.' && at[1] == '.')
            return false;
        at += length;
    }
    return true;
}

/* One component. A link is ELOOP, as openat2 has it, also where a directory is wanted. */
static int open_name(int dirfd, const char *name, int flags)
{
    int fd = openat(dirfd, name, flags | O_NOFOLLOW);
    struct stat st;

    if (fd < 0 && errno == ENOTDIR) {
        bool is_link = tree_stat_at(dirfd, name, &st) == 0 && S_ISLNK(st.st_mode);
        errno = is_link ? ELOOP : ENOTDIR;
    }
    return fd;
}

/* For kernels (and container engines' filters) without openat2, and for paths beyond PATH_MAX. */
static int open_step_by_step(int dirfd, const char *path, int flags)
{
    TREE_CLOSE int owned = -1;
    int at_fd = dirfd;
    size_t length = next_component(&path);

    while (length > 0) {
        char name[256];
        const char *rest = path + length;

        if (length >= sizeof(name)) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, path, length);
        name[length] = '\0';
        path = rest;
        length = next_component(&path);

        bool last = length == 0;
        int fd = open_name(at_fd, name, last ? flags : TREE_LOOK | O_DIRECTORY);
        if (fd < 0)
            return -1;
        if (last)
            return fd;
        tree_close_fd(&owned);
        owned = at_fd = fd;
    }
    return openat(dirfd, ".", flags);
}

int tree_open_beneath(int dirfd, const char *path, int flags)
{
    if (!stays_beneath(path)) {
        errno = EINVAL;
        return -1;
    }
    if (strchr(path, '/') == NULL)
        return open_name(dirfd, path[0] == '\0' ? "." : path, flags | O_CLOEXEC);

    int fd = tree_openat2(dirfd, path, flags | O_NOFOLLOW | O_CLOEXEC,
                          TREE_BENEATH | TREE_NO_SYMLINKS | TREE_NO_MAGICLINKS);
    if (fd >= 0 || (!tree_needs_fallback(errno) && errno != ENAMETOOLONG))
        return fd;
    return open_step_by_step(dirfd, path, flags | O_CLOEXEC);
}

/* By number: glibc has the function only since 2.33, RHEL 8 has 2.28. */
int tree_stat_at(int dirfd, const char *name, struct stat *out)
{
#ifdef SYS_newfstatat
    return (int)syscall(SYS_newfstatat, dirfd, name, out,
                        AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT |
                            (*name == '\0' ? AT_EMPTY_PATH : 0));
#else
#error "which system call fills struct stat on this architecture?"
#endif
}

int tree_find_parent(int dirfd, const char *path, struct tree_parent *parent)
{
    *parent = (struct tree_parent){.fd = dirfd, .owned = false, .name = path};
    if (!stays_beneath(path)) {
        errno = EINVAL;
        return -1;
    }
    if (path[0] == '\0') {
        parent->name = "";
        return 0;
    }
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return 0;
    if (slash[1] == '\0') { /* "a/" would let the kernel follow a link named a */
        errno = EINVAL;
        return -1;
    }

    TREE_FREE char *above = strndup(path, (size_t)(slash - path));
    if (above == NULL)
        return -1;
    parent->fd = tree_open_beneath(dirfd, above, TREE_LOOK | O_DIRECTORY);
    parent->owned = true;
    parent->name = slash + 1;
    return parent->fd < 0 ? -1 : 0;
}

/* chmod of what is no link, even if it may not be opened: fchmodat has no such flag before
 * Linux 6.6. */
int tree_chmod_at(int dirfd, const char *name, unsigned mode)
{
    if (*name == '\0')
        return tree_chmod_fd(dirfd, mode);
    TREE_CLOSE int fd = openat(dirfd, name, TREE_LOOK);
    struct stat st;

    if (fd < 0 || tree_stat_at(fd, "", &st) != 0)
        return -1;
    if (S_ISLNK(st.st_mode)) {
        errno = ELOOP;
        return -1;
    }
    return (st.st_mode & 07777) == mode ? 0 : tree_chmod_fd(fd, mode);
}

int tree_chmod_fd(int fd, unsigned mode)
{
    char proc[40];

    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
    return chmod(proc, mode);
}
