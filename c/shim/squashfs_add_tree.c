/* A directory tree into a SquashFS image, in one call: what a tree of many small files costs is not
 * their content. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ch.h"
#include "link_map.h"
#include "squashfs_writer.h"
#include "tree.h"

static_assert(sizeof(struct ch_squashfs_tree_options) == 16, "ffi/squashfs_writer.ts packs this");
static_assert(sizeof(struct ch_squashfs_tree_state) == 16, "ffi/squashfs_writer.ts reads this");

/* A directory that is being gone through. */
struct level {
    struct level *above;
    int fd;
    char *records; /* of ch_tree_list */
    uint64_t left;
    const char *next;
    size_t path_length; /* of the directory's own */
};

struct walk {
    uint64_t image;
    const char *excluded;
    const struct ch_squashfs_tree_options *options;
    struct ch_squashfs_tree_state *state;
    struct level *level; /* the deepest */
    struct link_map links;
    struct tree_path path; /* of the entry at hand */
    struct ch_error *err;
};

static bool is_excluded(const struct walk *walk)
{
    for (const char *path = walk->excluded; *path != '\0'; path += strlen(path) + 1)
        if (strcmp(path, walk->path.text) == 0)
            return true;
    return false;
}

static int set_path(struct walk *walk, const char *name)
{
    tree_path_cut(&walk->path, walk->level->path_length);
    return tree_path_push(&walk->path, name) == (size_t)-1
               ? CH_FAIL(walk->err, "realloc", "%s", name)
               : 0;
}

static struct ch_squashfs_entry describe(const struct walk *walk, const struct ch_stat *stat)
{
    const struct ch_squashfs_tree_options *options = walk->options;

    return (struct ch_squashfs_entry){
        .type = stat->mode & S_IFMT,
        .mode = S_ISLNK(stat->mode)
                    ? 0777
                    : (stat->mode & 07777) | (S_ISDIR(stat->mode) ? options->directory_mode : 0),
        .uid = options->keep_owner ? stat->uid : 0,
        .gid = options->keep_owner ? stat->gid : 0,
        .time = stat->mtime < options->latest ? stat->mtime : options->latest,
        .major = stat->rdev_major,
        .minor = stat->rdev_minor,
        .fd = -1,
    };
}

static int add(const struct walk *walk, const struct ch_squashfs_entry *entry, const char *target)
{
    return ch_squashfs_add(walk->image, walk->path.text, entry, target, "", walk->err);
}

static int add_open_file(const struct walk *walk, struct ch_squashfs_entry *entry)
{
    struct stat st;
    int result;

    /* What it is now: it may have become something else since the listing. */
    if (fstat(entry->fd, &st) < 0)
        return CH_FAIL(walk->err, "fstat", "%s", walk->path.text);
    if (!S_ISREG(st.st_mode))
        return CH_FAIL_WITH(walk->err, EINVAL, "open regular file", "%s", walk->path.text);
    entry->size = (uint64_t)st.st_size;
    result = add(walk, entry, "");
    __atomic_fetch_add(&walk->state->bytes, entry->size, __ATOMIC_RELAXED);
    return result;
}

static int add_file(const struct walk *walk, const char *name, struct ch_squashfs_entry *entry)
{
    int result;

    entry->fd =
        openat(walk->level->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (entry->fd < 0)
        return CH_FAIL(walk->err, "openat", "%s", walk->path.text);
    result = add_open_file(walk, entry);
    close(entry->fd);
    return result;
}

static int add_symlink(const struct walk *walk, const char *name,
                       const struct ch_squashfs_entry *entry)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(walk->level->fd, name, target, sizeof(target) - 1);

    if (n < 0)
        return CH_FAIL(walk->err, "readlinkat", "%s", walk->path.text);
    target[n] = '\0';
    return add(walk, entry, target);
}

/* Result 1: it is another name of a file that is in the image, and added as such. */
static int add_other_name(struct walk *walk, const struct ch_stat *stat)
{
    struct ch_squashfs_entry link = {.type = CH_SQUASHFS_HARD_LINK, .fd = -1};
    struct link_slot *slot = link_map_find(&walk->links, stat->dev, stat->ino);
    int result;

    if (slot == NULL)
        return CH_FAIL(walk->err, "malloc", "%s", walk->path.text);
    if (slot->path == NULL)
        return link_map_set(&walk->links, slot, stat->dev, stat->ino, walk->path.text) < 0
                   ? CH_FAIL(walk->err, "malloc", "%s", walk->path.text)
                   : 0;
    result = add(walk, &link, slot->path);
    return result < 0 ? result : 1;
}

static char *list(int fd, struct ch_filled *filled, struct ch_error *err)
{
    uint32_t capacity = 1u << 16;

    for (;;) {
        char *records = malloc(capacity);
        if (records == NULL || ch_tree_list(fd, records, capacity, filled, err) < 0) {
            if (records == NULL)
                (void)CH_FAIL(err, "malloc", "%s", "");
            free(records);
            return NULL;
        }
        /* The directory can grow between two attempts. */
        if (filled->needed <= capacity)
            return records;
        free(records);
        capacity = (uint32_t)filled->needed + 4096;
    }
}

/* Takes FD over. */
static int enter(struct walk *walk, int fd)
{
    struct level *level = calloc(1, sizeof(*level));
    struct ch_filled filled;

    if (level == NULL) {
        close(fd);
        return CH_FAIL(walk->err, "calloc", "%s", walk->path.text);
    }
    *level = (struct level){.above = walk->level, .fd = fd, .path_length = walk->path.length};
    walk->level = level;
    level->next = level->records = list(fd, &filled, walk->err);
    level->left = filled.count;
    if (level->records != NULL)
        return 0;
    snprintf(walk->err->path, sizeof(walk->err->path), "%s", walk->path.text);
    return -walk->err->errnum;
}

static void leave(struct walk *walk)
{
    struct level *level = walk->level;

    walk->level = level->above;
    close(level->fd);
    free(level->records);
    free(level);
}

static int add_directory(struct walk *walk, const char *name, const struct ch_squashfs_entry *entry)
{
    int fd, result = add(walk, entry, "");

    if (result < 0)
        return result;
    fd = openat(walk->level->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? CH_FAIL(walk->err, "openat", "%s", walk->path.text) : enter(walk, fd);
}

static int add_next(struct walk *walk)
{
    const struct ch_list_entry *found = (const void *)walk->level->next;
    const char *name = walk->level->next + sizeof(*found);
    struct ch_squashfs_entry entry = describe(walk, &found->stat);
    int result = set_path(walk, name);

    walk->level->next += found->record_size;
    walk->level->left--;
    if (result < 0 || is_excluded(walk))
        return result;
    if (found->stat.nlink > 1 && entry.type != S_IFDIR) {
        result = add_other_name(walk, &found->stat);
        if (result != 0)
            return result < 0 ? result : 0;
    }
    switch (entry.type) {
    case S_IFDIR:
        return add_directory(walk, name, &entry);
    case S_IFREG:
        return add_file(walk, name, &entry);
    case S_IFLNK:
        return add_symlink(walk, name, &entry);
    default:
        return add(walk, &entry, "");
    }
}

static int add_root(struct walk *walk, int rootfd)
{
    struct ch_squashfs_entry entry;
    struct ch_stat stat;
    int fd, result = ch_tree_stat(rootfd, "", &stat, walk->err);

    if (result < 0)
        return result;
    entry = describe(walk, &stat);
    result = add(walk, &entry, "");
    if (result < 0)
        return result;
    fd = openat(rootfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? CH_FAIL(walk->err, "openat", "%s", "") : enter(walk, fd);
}

int32_t ch_squashfs_add_tree(uint64_t handle, int32_t rootfd, const char *excluded,
                             const struct ch_squashfs_tree_options *options,
                             struct ch_squashfs_tree_state *state, struct ch_error *err)
{
    struct walk walk = {
        .image = handle, .excluded = excluded, .options = options, .state = state, .err = err};
    int result = tree_path_push(&walk.path, "") == (size_t)-1 ? CH_FAIL(err, "realloc", "%s", "")
                                                              : add_root(&walk, rootfd);

    squashfs_writer_watch(handle, &state->stop);
    while (result == 0 && walk.level != NULL) {
        if (__atomic_load_n(&state->stop, __ATOMIC_RELAXED) != 0)
            result = CH_FAIL_WITH(err, ECANCELED, "squashfs add", "%s", walk.path.text);
        else if (walk.level->left == 0)
            leave(&walk);
        else
            result = add_next(&walk);
    }
    squashfs_writer_watch(handle, NULL);
    while (walk.level != NULL)
        leave(&walk);
    link_map_free(&walk.links);
    tree_free_path(&walk.path);
    return result;
}
