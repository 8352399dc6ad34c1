/* Makes single entries of a state's directories: links to objects of the cache, or copies. */
#define _GNU_SOURCE
#include "cache_checkout.h"

#include <string.h>
#include <sys/syscall.h>

int checkout_fail(const struct checkout *out, const char *call)
{
    return CH_FAIL(out->err, call, "%s", out->path.text);
}

/* The path of OUT already names it. */
int checkout_remove(struct checkout *out, int dirfd, const char *name)
{
    size_t above = out->path.length - strlen(name);

    tree_path_cut(&out->path, above > 0 ? above - 1 : 0);
    int result = tree_remove_at(dirfd, name, &out->path, &out->counts->removed, out->err);
    if (result == 0 && tree_path_push(&out->path, name) == (size_t)-1)
        result = CH_FAIL(out->err, "malloc", "%s", name);
    return result;
}

static int set_times(int dirfd, const char *name, const struct cache_entry *entry)
{
    struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = entry->mtime, .tv_nsec = entry->mtime_nsec},
    };
    return name == NULL ? futimens(dirfd, times)
                        : utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW);
}

static int copy_object(const struct checkout *out, const struct cache_entry *entry,
                       const char *object, int dirfd, const char *name)
{
    TREE_CLOSE int from = openat(out->cache.objects, object, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    TREE_CLOSE int to =
        openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (from < 0 || to < 0 || tree_copy_data(from, to, entry->size) != 0)
        return -1;
    if ((out->flags & CH_CACHE_XATTRS) &&
        tree_unpack_xattrs(to, cache_xattrs(entry), entry->xattrs_length) != 0)
        return -1;
    return fchmod(to, entry->mode) != 0 ? -1 : set_times(to, NULL, entry);
}

static int add_copy(struct checkout *out, const struct cache_entry *entry, const char *object,
                    int dirfd, const char *name)
{
    uint8_t key[CACHE_KEY];

    cache_hash_object(entry, cache_first_path(entry, out->path.text), key);
    const struct key_slot *earlier = key_map_find(&out->copies->map, key);
    if (earlier != NULL) {
        TREE_PARENT parent;
        if (tree_find_parent(out->to, earlier->text, &parent) == 0 &&
            linkat(parent.fd, parent.name, dirfd, name, 0) == 0)
            return 0;
    }
    if (copy_object(out, entry, object, dirfd, name) != 0)
        return -1;
    return key_map_add(&out->copies->map, key, out->path.text);
}

/* The first name of a file gets a copy of its object, the others become links to that. */
static int copy_or_link(struct checkout *out, const struct cache_entry *entry, const char *object,
                        int dirfd, const char *name)
{
    pthread_mutex_lock(&out->copies->lock);
    int result = add_copy(out, entry, object, dirfd, name);
    pthread_mutex_unlock(&out->copies->lock);
    return result;
}

static int make_file(struct checkout *out, const struct cache_entry *entry, int dirfd,
                     const char *name)
{
    bool has_xattrs = entry->xattrs_length > 0 && (out->flags & CH_CACHE_XATTRS) == 0;
    char object[CACHE_OBJECT_NAME];
    struct stat st;

    cache_name_object(entry, cache_first_path(entry, out->path.text), object);
    if (tree_stat_at(out->cache.objects, object, &st) != 0) {
        errno = errno == ENOENT ? EBADMSG : errno;
        return -1;
    }
    if (!cache_is_intact(entry, &st)) {
        errno = EBADMSG;
        return -1;
    }
    if ((out->flags & CH_CACHE_PRIVATE) || has_xattrs)
        return copy_or_link(out, entry, object, dirfd, name);
    if (linkat(out->cache.objects, object, dirfd, name, 0) == 0)
        return 0;
    /* As many links as can be, or none at all, as on some file systems. */
    if (errno != EMLINK && errno != EPERM && errno != ENOTSUP && errno != EXDEV)
        return -1;
    return copy_or_link(out, entry, object, dirfd, name);
}

static int try_make(struct checkout *out, const struct cache_entry *entry, int dirfd,
                    const char *name)
{
    switch (entry->type) {
    case 'd':
        return mkdirat(dirfd, name, 0700);
    case 'f':
        return make_file(out, entry, dirfd, name);
    case 'l':
        return symlinkat(cache_text(entry), dirfd, name) != 0 ? -1 : set_times(dirfd, name, entry);
    default:
        if (syscall(SYS_mknodat, dirfd, name, S_IFIFO | 0600, 0) != 0 ||
            tree_chmod_at(dirfd, name, entry->mode) != 0)
            return -1;
        return set_times(dirfd, name, entry);
    }
}

static void count_one(struct ch_tree_counts *counts, uint8_t type)
{
    ++*(type == 'd'   ? &counts->directories
        : type == 'f' ? &counts->files
        : type == 'l' ? &counts->links
                      : &counts->others);
}

int checkout_make(struct checkout *out, const struct cache_entry *entry, int dirfd,
                  const char *name)
{
    count_one(out->counts, entry->type);
    int made = try_make(out, entry, dirfd, name);
    if (made != 0 && errno == EEXIST) { /* somebody put it there */
        int result = checkout_remove(out, dirfd, name);
        if (result < 0)
            return result;
        made = try_make(out, entry, dirfd, name);
    }
    return made == 0 ? 0 : checkout_fail(out, errno == EBADMSG ? "take cached file" : "make");
}

int checkout_settle(const struct checkout *out, int fd, const struct cache_entry *entry)
{
    if ((out->flags & CH_CACHE_XATTRS) &&
        tree_unpack_xattrs(fd, cache_xattrs(entry), entry->xattrs_length) != 0)
        return checkout_fail(out, "setxattr");
    if (fchmod(fd, entry->mode) != 0 || set_times(fd, NULL, entry) != 0)
        return checkout_fail(out, "set mode and times");
    return 0;
}

int checkout_complete(struct checkout *out, int fd, const struct cache_list *list,
                      const struct cache_entry *entry)
{
    const struct cache_entry *one;

    for (size_t at = 0; (one = cache_next(list, &at)) != NULL;) {
        if (one->type == 'd')
            continue;
        size_t before = tree_path_push(&out->path, cache_name(one));
        if (before == (size_t)-1)
            return checkout_fail(out, "malloc");
        int result = checkout_make(out, one, fd, cache_name(one));
        if (result < 0)
            return result;
        tree_path_cut(&out->path, before);
    }
    return checkout_settle(out, fd, entry);
}
