/* What a command changed, from the upper directory of an overlay into the image it lay on. The
 * costs are those of the changes, not of the image: things move by rename.
 *
 * Format (Linux, Documentation/filesystems/overlayfs, option userxattr): a whiteout is a character
 * device 0/0, or an empty file with user.overlay.whiteout; user.overlay.opaque = "y" on a directory
 * hides the lower one, "x" says only that whiteouts of the second kind are in it. With userxattr
 * the kernel makes neither redirects nor metadata-only copies; should they appear we must not
 * guess. */
#include "tree.h"

#include <string.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

struct merge {
    struct ch_tree_counts *counts;
    struct ch_error *err;
    struct tree_path path;
};

static void free_merge(const struct merge *merge)
{
    tree_free_path(&merge->path);
}

bool tree_is_opaque(int look)
{
    char proc[40], value = '\0';

    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", look);
    return getxattr(proc, "user.overlay.opaque", &value, 1) == 1 && value == 'y';
}

bool tree_is_whiteout(int look, const struct stat *st)
{
    if (S_ISCHR(st->st_mode))
        return st->st_rdev == makedev(0, 0);
    return S_ISREG(st->st_mode) && st->st_size == 0 &&
           tree_has_xattr(look, "user.overlay.whiteout");
}

static int fail(const struct merge *merge, const char *call)
{
    return CH_FAIL(merge->err, call, "%s", merge->path.text);
}

/* NAME of the image goes, whatever it is. The path of MERGE already names it. */
static int remove_old(struct merge *merge, int image, const char *name)
{
    size_t above = merge->path.length - strlen(name);

    tree_path_cut(&merge->path, above > 0 ? above - 1 : 0);
    int result = tree_remove_at(image, name, &merge->path, &merge->counts->removed, merge->err);
    if (result == 0 && tree_path_push(&merge->path, name) == (size_t)-1)
        result = CH_FAIL(merge->err, "malloc", "%s", name);
    return result;
}

/* A directory may forbid its owner what we have to do in it. */
static int open_up(int dirfd, const char *name, mode_t mode)
{
    return (mode & 0700) == 0700 ? 0 : tree_chmod_at(dirfd, name, (mode & 07777) | 0700);
}

static void count_one(struct ch_tree_counts *counts, mode_t mode)
{
    ++*(S_ISREG(mode)   ? &counts->files
        : S_ISLNK(mode) ? &counts->links
        : S_ISDIR(mode) ? &counts->directories
                        : &counts->others);
}

static int clean_directory(struct merge *merge, int fd);

/* An entry that is new as a whole loses what overlayfs noted on it. ST is how it is to be. */
static int clean_entry(struct merge *merge, int dirfd, const char *name, const struct stat *st)
{
    if (S_ISDIR(st->st_mode) && open_up(dirfd, name, st->st_mode) != 0)
        return fail(merge, "chmod");
    TREE_CLOSE int look = openat(dirfd, name, TREE_LOOK);
    if (look < 0)
        return fail(merge, "openat");
    if (!S_ISLNK(st->st_mode) && tree_strip_overlay_xattrs(look) != 0)
        return fail(merge, "removexattr");
    count_one(merge->counts, st->st_mode);
    if (!S_ISDIR(st->st_mode))
        return 0;

    TREE_CLOSE int fd = openat(dirfd, name, TREE_DIRECTORY);
    if (fd < 0)
        return fail(merge, "openat");
    int result = clean_directory(merge, fd);
    if (result < 0)
        return result;
    struct timespec times[2] = {st->st_atim, st->st_mtim};
    if (fchmod(fd, st->st_mode & 07777) != 0 || futimens(fd, times) != 0)
        return fail(merge, "set mode and times");
    return 0;
}

static int clean_or_drop(struct merge *merge, int dirfd, const char *name)
{
    TREE_CLOSE int look = openat(dirfd, name, TREE_LOOK);
    struct stat st;

    if (look < 0 || tree_stat_at(look, "", &st) != 0)
        return fail(merge, "openat");
    if (tree_is_whiteout(look, &st))
        return unlinkat(dirfd, name, 0) != 0 ? fail(merge, "unlinkat") : 0;
    return clean_entry(merge, dirfd, name, &st);
}

static int clean_directory(struct merge *merge, int fd)
{
    TREE_NAMES names;
    struct tree_name entry;

    if (tree_read_names(fd, &names) != 0)
        return fail(merge, "getdents64");
    for (size_t at = 0; tree_next_name(&names, &at, &entry);) {
        size_t before = tree_path_push(&merge->path, entry.name);
        if (before == (size_t)-1)
            return fail(merge, "malloc");
        int result = clean_or_drop(merge, fd, entry.name);
        if (result < 0)
            return result;
        tree_path_cut(&merge->path, before);
    }
    return 0;
}

static int merge_directory(struct merge *merge, int upper, int image);

/* Overlayfs copies a directory up with all its attributes: those of the upper one hold. */
static int take_over_directory(int upper, int image, const struct stat *st)
{
    struct timespec times[2] = {st->st_atim, st->st_mtim};

    if (tree_copy_xattrs(upper, image, true) != 0)
        return -1;
    struct stat old;
    if (tree_stat_at(image, "", &old) != 0)
        return -1;
    if ((old.st_uid != st->st_uid || old.st_gid != st->st_gid) &&
        fchown(image, st->st_uid, st->st_gid) != 0)
        return -1;
    return fchmod(image, st->st_mode & 07777) != 0 ? -1 : futimens(image, times);
}

/* A directory on both sides. */
static int merge_below(struct merge *merge, int upper, const char *name, const struct stat *st,
                       int image, const struct stat *old)
{
    if (open_up(image, name, old->st_mode) != 0)
        return fail(merge, "chmod");
    TREE_CLOSE int upper_below = openat(upper, name, TREE_DIRECTORY);
    TREE_CLOSE int image_below = openat(image, name, TREE_DIRECTORY);
    if (upper_below < 0 || image_below < 0)
        return fail(merge, "openat");
    int result = merge_directory(merge, upper_below, image_below);
    if (result < 0)
        return result;
    if (take_over_directory(upper_below, image_below, st) != 0)
        return fail(merge, "set mode and times");
    if (unlinkat(upper, name, AT_REMOVEDIR) != 0)
        return fail(merge, "rmdir");
    merge->counts->directories++;
    return 0;
}

static int merge_entry(struct merge *merge, int upper, const char *name, int image)
{
    TREE_CLOSE int look = openat(upper, name, TREE_LOOK);
    struct stat st, old;

    if (look < 0 || tree_stat_at(look, "", &st) != 0)
        return fail(merge, "openat");
    bool exists = tree_stat_at(image, name, &old) == 0;
    if (!exists && errno != ENOENT)
        return fail(merge, "fstatat");
    if (tree_is_whiteout(look, &st)) {
        int result = exists ? remove_old(merge, image, name) : 0;
        if (result < 0)
            return result;
        return unlinkat(upper, name, 0) != 0 ? fail(merge, "unlinkat") : 0;
    }

    bool directory = S_ISDIR(st.st_mode);
    if (directory && open_up(upper, name, st.st_mode) != 0)
        return fail(merge, "chmod");
    if (!S_ISLNK(st.st_mode) && (tree_has_xattr(look, "user.overlay.redirect") ||
                                 tree_has_xattr(look, "user.overlay.metacopy")))
        return CH_FAIL_WITH(merge->err, EOPNOTSUPP, "overlay redirect or metacopy", "%s",
                            merge->path.text);
    if (directory && exists && S_ISDIR(old.st_mode) && !tree_is_opaque(look))
        return merge_below(merge, upper, name, &st, image, &old);

    /* New as a whole: moved, then cleaned. rename(2) itself replaces one file by another. */
    int result = exists && (directory || S_ISDIR(old.st_mode)) ? remove_old(merge, image, name) : 0;
    if (result < 0)
        return result;
    if (renameat(upper, name, image, name) != 0)
        return fail(merge, "renameat");
    /* Of two names of one file, rename(2) leaves both: the build cache may have made them one. */
    if (exists && old.st_ino == st.st_ino && old.st_dev == st.st_dev &&
        unlinkat(upper, name, 0) != 0)
        return fail(merge, "unlinkat");
    return clean_entry(merge, image, name, &st);
}

static int merge_directory(struct merge *merge, int upper, int image)
{
    TREE_NAMES names;
    struct tree_name entry;

    if (tree_read_names(upper, &names) != 0)
        return fail(merge, "getdents64");
    for (size_t at = 0; tree_next_name(&names, &at, &entry);) {
        size_t before = tree_path_push(&merge->path, entry.name);
        if (before == (size_t)-1)
            return fail(merge, "malloc");
        int result = merge_entry(merge, upper, entry.name, image);
        if (result < 0)
            return result;
        tree_path_cut(&merge->path, before);
    }
    return 0;
}

int32_t ch_tree_apply_overlay(int32_t upper, int32_t image, struct ch_tree_counts *counts,
                              struct ch_error *err)
{
    __attribute__((cleanup(free_merge))) struct merge merge = {.counts = counts, .err = err};
    struct stat st;

    *counts = (struct ch_tree_counts){0};
    if (tree_path_push(&merge.path, "") == (size_t)-1)
        return CH_FAIL(err, "malloc", "%s", "");
    if (tree_stat_at(upper, "", &st) != 0)
        return fail(&merge, "fstatat");
    int result = merge_directory(&merge, upper, image);
    if (result < 0)
        return result;
    return take_over_directory(upper, image, &st) != 0 ? fail(&merge, "set mode and times") : 0;
}
