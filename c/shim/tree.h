/* What the tree*.c share: opening beneath a directory, and small things. Not part of the surface.
 */
#ifndef CH_TREE_H
#define CH_TREE_H

/* For O_PATH; this header is the first that every tree*.c includes. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../ch.h"

#define TREE_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define TREE_LOOK (O_PATH | O_NOFOLLOW | O_CLOEXEC)

static inline void tree_close_fd(const int *fd)
{
    if (*fd >= 0) {
        int saved = errno;
        close(*fd);
        errno = saved;
    }
}
#define TREE_CLOSE __attribute__((cleanup(tree_close_fd)))

static inline void tree_free(void *at)
{
    free(*(void **)at);
}
#define TREE_FREE __attribute__((cleanup(tree_free)))

/* openat2(2), Linux 5.6. Where it is missing, or a container engine's filter refuses it, or a
 * rename elsewhere disturbed it, there is another way: tree_needs_fallback(errno). */
#define TREE_NO_XDEV 0x01
#define TREE_NO_MAGICLINKS 0x02
#define TREE_NO_SYMLINKS 0x04
#define TREE_BENEATH 0x08
int tree_openat2(int dirfd, const char *path, int flags, uint64_t resolve);
bool tree_needs_fallback(int errnum);

/* -1 and errno, as the system calls do. */
int tree_open_beneath(int dirfd, const char *path, int flags);
int tree_stat_at(int dirfd, const char *name, struct stat *out);
int tree_chmod_at(int dirfd, const char *name, unsigned mode);
int tree_chmod_fd(int fd, unsigned mode); /* FD may be an O_PATH descriptor, but of no link */
int tree_copy_data(int from, int to, uint64_t size);

/* The directory that holds the last component of a path. */
struct tree_parent {
    int fd;
    bool owned;
    const char *name; /* points into the path; "" for DIRFD itself */
};
int tree_find_parent(int dirfd, const char *path, struct tree_parent *parent);
static inline void tree_close_parent(const struct tree_parent *parent)
{
    if (parent->owned)
        tree_close_fd(&parent->fd);
}
#define TREE_PARENT __attribute__((cleanup(tree_close_parent))) struct tree_parent

void tree_fill_stat(const struct stat *st, struct ch_stat *out);

/* The names in a directory, without "." and "..", as getdents64 gives them. */
struct tree_names {
    char *block;
    size_t size;
};
struct tree_name {
    const char *name;
    unsigned char type; /* DT_*, possibly DT_UNKNOWN */
};
int tree_read_names(int dirfd, struct tree_names *out);
/* Walks over them; *AT starts at 0. False at the end. */
bool tree_next_name(const struct tree_names *names, size_t *at, struct tree_name *out);
static inline void tree_free_names(const struct tree_names *names)
{
    free(names->block);
}
#define TREE_NAMES __attribute__((cleanup(tree_free_names))) struct tree_names

/* The path of where a walk is, for messages and links. */
struct tree_path {
    char *text;
    size_t length;
    size_t capacity;
};
/* Returns the length before, to cut back to; (size_t) -1 when out of memory. */
size_t tree_path_push(struct tree_path *path, const char *name);
void tree_path_cut(struct tree_path *path, size_t length);
static inline void tree_free_path(const struct tree_path *path)
{
    free(path->text);
}

/* Extended attributes of an open file or directory. */
enum tree_xattr_choice {
    TREE_XATTRS_USER, /* user.* and POSIX ACLs, without those of overlayfs */
    TREE_XATTRS_OVERLAY,
};
bool tree_xattr_is(const char *name, enum tree_xattr_choice choice);
/* All of FROM's chosen ones set on TO; with REPLACE, others of TO's are removed. A file system
 * without them is no failure. */
int tree_copy_xattrs(int from, int to, bool replace);
/* Removes the attributes of overlayfs. FD may be an O_PATH descriptor. */
int tree_strip_overlay_xattrs(int fd);
bool tree_has_xattr(int fd, const char *name);
/* Of an O_PATH descriptor: does the file have attributes of the first choice? */
bool tree_has_user_xattrs(int fd);
/* Those, sorted by name, each as { uint32 name size, uint32 value size, name, value }. *OUT is to
 * be freed. The size, 0 also for symbolic links; -1 and errno. */
ssize_t tree_pack_xattrs(int fd, char **out);
/* Sets what tree_pack_xattrs() gave. A file system without them is no failure. */
int tree_unpack_xattrs(int fd, const char *packed, size_t size);

/* What overlayfs notes in an upper directory, see tree_overlay.c. LOOK is an O_PATH descriptor. */
bool tree_is_opaque(int look);
bool tree_is_whiteout(int look, const struct stat *st);

/* Removes NAME (one component) of the directory with all below it. PATH is where that directory is.
 */
int tree_remove_at(int dirfd, const char *name, struct tree_path *path, uint64_t *removed,
                   struct ch_error *err);

#endif
