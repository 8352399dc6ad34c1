/* Copies of whole trees, as hard links or in full. One call for a tree: a call for each entry from
 * TypeScript costs more than the work. Recursion holds a descriptor for each level, never a path,
 * so that depth is not bound by PATH_MAX. */
#include "tree.h"
#include "link_map.h"

#include <dirent.h>
#include <string.h>
#include <sys/syscall.h>

struct copy {
    int to_root;
    uint32_t flags;
    bool by_links;
    struct ch_tree_counts *counts;
    struct ch_error *err;
    struct tree_path path;
    struct link_map links;
};

static void free_copy(const struct copy *copy)
{
    link_map_free(&copy->links);
    tree_free_path(&copy->path);
}

/* 1: linked to the copy of an earlier name; 0: this is the first name, now noted; -1: failed. */
static int link_to_earlier(struct copy *copy, const struct stat *st, int to, const char *name)
{
    if (st->st_nlink < 2)
        return 0;
    struct link_slot *slot = link_map_find(&copy->links, st->st_dev, st->st_ino);
    if (slot == NULL)
        return -1;
    if (slot->path != NULL) {
        TREE_PARENT earlier;
        if (tree_find_parent(copy->to_root, slot->path, &earlier) != 0)
            return -1;
        if (linkat(earlier.fd, earlier.name, to, name, 0) == 0)
            return 1;
        if (errno != EMLINK)
            return -1;
        /* As many links as the file system takes: this name begins a new file. */
    }
    return link_map_set(&copy->links, slot, st->st_dev, st->st_ino, copy->path.text);
}

static int copy_file(const struct copy *copy, int from, const char *name, int to)
{
    struct stat st;
    TREE_CLOSE int source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (source < 0 || tree_stat_at(source, "", &st) != 0)
        return -1;
    if (!S_ISREG(st.st_mode)) { /* no longer what it was */
        errno = EINVAL;
        return -1;
    }
    TREE_CLOSE int target =
        openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    struct timespec times[2] = {st.st_atim, st.st_mtim};
    if (target < 0 || tree_copy_data(source, target, (uint64_t)st.st_size) != 0)
        return -1;
    if ((copy->flags & CH_TREE_XATTRS) && tree_copy_xattrs(source, target, false) != 0)
        return -1;
    if ((copy->flags & CH_TREE_OWNER) && fchown(target, st.st_uid, st.st_gid) != 0)
        return -1;
    return fchmod(target, st.st_mode & 07777) != 0 ? -1 : futimens(target, times);
}

static int copy_symlink(int from, const char *name, const struct stat *st, int to)
{
    TREE_FREE char *target = malloc((size_t)st->st_size + 1);
    ssize_t length = target == NULL ? -1 : readlinkat(from, name, target, (size_t)st->st_size + 1);

    if (length < 0)
        return -1;
    if (length > st->st_size) {
        errno = EAGAIN; /* changed meanwhile */
        return -1;
    }
    target[length] = '\0';
    return symlinkat(target, to, name);
}

static bool skips(const struct copy *copy, const struct stat *st)
{
    uint64_t *count;
    uint32_t flag;

    switch (st->st_mode & S_IFMT) {
    case S_IFCHR:
    case S_IFBLK:
        flag = CH_TREE_SKIP_DEVICES, count = &copy->counts->skipped_devices;
        break;
    case S_IFIFO:
        flag = CH_TREE_SKIP_FIFOS, count = &copy->counts->skipped_fifos;
        break;
    case S_IFSOCK:
        flag = CH_TREE_SKIP_SOCKETS, count = &copy->counts->skipped_sockets;
        break;
    default:
        return false;
    }
    if ((copy->flags & flag) == 0)
        return false;
    ++*count;
    return true;
}

static void count_one(struct ch_tree_counts *counts, mode_t mode)
{
    ++*(S_ISREG(mode) ? &counts->files : S_ISLNK(mode) ? &counts->links : &counts->others);
}

/* Anything but a directory. */
static int copy_one(struct copy *copy, int from, const char *name, int to)
{
    struct stat st;

    if (tree_stat_at(from, name, &st) != 0)
        return CH_FAIL(copy->err, "fstatat", "%s", copy->path.text);
    if (skips(copy, &st))
        return 0;
    count_one(copy->counts, st.st_mode);
    int linked = link_to_earlier(copy, &st, to, name);
    if (linked != 0)
        return linked < 0 ? CH_FAIL(copy->err, "linkat", "%s", copy->path.text) : 0;

    if (S_ISREG(st.st_mode))
        return copy_file(copy, from, name, to) != 0
                   ? CH_FAIL(copy->err, "copy file", "%s", copy->path.text)
                   : 0;
    if (S_ISLNK(st.st_mode)) {
        if (copy_symlink(from, name, &st, to) != 0)
            return CH_FAIL(copy->err, "symlinkat", "%s", copy->path.text);
    } else if (syscall(SYS_mknodat, to, name, st.st_mode, st.st_rdev) != 0 ||
               tree_chmod_at(to, name, st.st_mode & 07777) != 0) {
        return CH_FAIL(copy->err, "mknodat", "%s", copy->path.text);
    }
    struct timespec times[2] = {st.st_atim, st.st_mtim};
    if ((copy->flags & CH_TREE_OWNER) &&
        fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) != 0)
        return CH_FAIL(copy->err, "fchownat", "%s", copy->path.text);
    if (utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) != 0)
        return CH_FAIL(copy->err, "utimensat", "%s", copy->path.text);
    return 0;
}

/* Result 1: the file system does not make this link, copy. EPERM also comes from
 * protected_hardlinks. */
static int link_one(struct copy *copy, int from, const char *name, int to)
{
    if (linkat(from, name, to, name, 0) == 0) {
        copy->counts->files++;
        return 0;
    }
    if (errno == EMLINK || errno == EPERM || errno == EXDEV || errno == EOPNOTSUPP)
        return 1;
    return CH_FAIL(copy->err, "linkat", "%s", copy->path.text);
}

static int copy_directory(struct copy *copy, int from, int to);

static int copy_entry(struct copy *copy, int from, const struct tree_name *entry, int to)
{
    struct stat st;
    bool directory = entry->type == DT_DIR;

    if (entry->type == DT_UNKNOWN) {
        if (tree_stat_at(from, entry->name, &st) != 0)
            return CH_FAIL(copy->err, "fstatat", "%s", copy->path.text);
        directory = S_ISDIR(st.st_mode);
    }
    if (!directory) {
        int result = copy->by_links ? link_one(copy, from, entry->name, to) : 1;
        return result == 1 ? copy_one(copy, from, entry->name, to) : result;
    }

    TREE_CLOSE int from_below = openat(from, entry->name, TREE_DIRECTORY);
    if (from_below < 0)
        return CH_FAIL(copy->err, "openat", "%s", copy->path.text);
    if (mkdirat(to, entry->name, 0700) != 0)
        return CH_FAIL(copy->err, "mkdirat", "%s", copy->path.text);
    TREE_CLOSE int to_below = openat(to, entry->name, TREE_DIRECTORY);
    if (to_below < 0)
        return CH_FAIL(copy->err, "openat", "%s", copy->path.text);
    return copy_directory(copy, from_below, to_below);
}

/* Mode and times last: until then the copy must be writable, and filling it changes its time. */
static int finish_directory(const struct copy *copy, int from, int to)
{
    struct stat st;

    if (tree_stat_at(from, "", &st) != 0)
        return -1;
    struct timespec times[2] = {st.st_atim, st.st_mtim};
    unsigned mode = (st.st_mode & 07777) | (copy->flags & CH_TREE_DIRECTORY_RWX ? 0700 : 0);
    if ((copy->flags & CH_TREE_XATTRS) && tree_copy_xattrs(from, to, false) != 0)
        return -1;
    if ((copy->flags & CH_TREE_OWNER) && fchown(to, st.st_uid, st.st_gid) != 0)
        return -1;
    return fchmod(to, mode) != 0 ? -1 : futimens(to, times);
}

static int copy_directory(struct copy *copy, int from, int to)
{
    TREE_NAMES names;
    struct tree_name entry;

    if (tree_read_names(from, &names) != 0)
        return CH_FAIL(copy->err, "getdents64", "%s", copy->path.text);
    for (size_t at = 0; tree_next_name(&names, &at, &entry);) {
        size_t before = tree_path_push(&copy->path, entry.name);
        if (before == (size_t)-1)
            return CH_FAIL(copy->err, "malloc", "%s", entry.name);
        int result = copy_entry(copy, from, &entry, to);
        if (result < 0)
            return result;
        tree_path_cut(&copy->path, before);
    }
    copy->counts->directories++;
    if (finish_directory(copy, from, to) != 0)
        return CH_FAIL(copy->err, "set mode and times", "%s", copy->path.text);
    return 0;
}

static int32_t copy_tree(int32_t from, int32_t to, uint32_t flags, bool by_links,
                         struct ch_tree_counts *counts, struct ch_error *err)
{
    __attribute__((cleanup(free_copy))) struct copy copy = {
        .to_root = to,
        .flags = flags,
        .by_links = by_links,
        .counts = counts,
        .err = err,
    };

    *counts = (struct ch_tree_counts){0};
    if (tree_path_push(&copy.path, "") == (size_t)-1)
        return CH_FAIL(err, "malloc", "%s", "");
    return copy_directory(&copy, from, to);
}

int32_t ch_tree_link_tree(int32_t from, int32_t to, uint32_t flags, struct ch_tree_counts *counts,
                          struct ch_error *err)
{
    return copy_tree(from, to, flags, true, counts, err);
}

int32_t ch_tree_copy_tree(int32_t from, int32_t to, uint32_t flags, struct ch_tree_counts *counts,
                          struct ch_error *err)
{
    return copy_tree(from, to, flags, false, counts, err);
}
