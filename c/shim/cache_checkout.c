/* A directory becomes what a state holds: from nothing, or from another state by what differs. */
#include "cache.h"

#include <string.h>
#include <sys/syscall.h>

#include "key_map.h"

struct checkout {
    struct cache cache;
    int to;
    uint32_t flags;
    struct tree_path path;
    struct key_map copies; /* paths of objects' copies, for files with several names */
    struct ch_tree_counts *counts;
    struct ch_error *err;
};

static void free_checkout(const struct checkout *out)
{
    cache_close(&out->cache);
    tree_free_path(&out->path);
    key_map_free(&out->copies);
}

static int fail(const struct checkout *out, const char *call)
{
    return CH_FAIL(out->err, call, "%s", out->path.text);
}

/* The path of OUT already names it. */
static int remove_entry(struct checkout *out, int dirfd, const char *name)
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

/* The first name of a file gets a copy of its object, the others become links to that. */
static int copy_or_link(struct checkout *out, const struct cache_entry *entry, const char *object,
                        int dirfd, const char *name)
{
    uint8_t key[CACHE_KEY];

    cache_hash_object(entry, cache_first_path(entry, out->path.text), key);
    const struct key_slot *earlier = key_map_find(&out->copies, key);
    if (earlier != NULL) {
        TREE_PARENT parent;
        if (tree_find_parent(out->to, earlier->text, &parent) == 0 &&
            linkat(parent.fd, parent.name, dirfd, name, 0) == 0)
            return 0;
    }
    if (copy_object(out, entry, object, dirfd, name) != 0)
        return -1;
    return key_map_add(&out->copies, key, out->path.text);
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

static int make_entry(struct checkout *out, const struct cache_entry *entry, int dirfd,
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

static int fill(struct checkout *out, int fd, const struct cache_entry *entry,
                const struct cache_entry *old);

static int fill_below(struct checkout *out, int dirfd, const char *name,
                      const struct cache_entry *entry, const struct cache_entry *old)
{
    TREE_CLOSE int fd = openat(dirfd, name, TREE_DIRECTORY);

    if (fd < 0 && errno == EACCES && tree_chmod_at(dirfd, name, 0700) == 0)
        fd = openat(dirfd, name, TREE_DIRECTORY);
    return fd < 0 ? fail(out, "openat") : fill(out, fd, entry, old);
}

/* OLD: what has been there, or NULL. */
static int put_entry(struct checkout *out, int dirfd, const struct cache_entry *entry,
                     const struct cache_entry *old)
{
    const char *name = cache_name(entry);

    if (old != NULL && entry->type == 'd' && old->type == 'd')
        return fill_below(out, dirfd, name, entry, old);
    if (old != NULL) {
        int result = remove_entry(out, dirfd, name);
        if (result < 0)
            return result;
    }
    count_one(out->counts, entry->type);
    int made = make_entry(out, entry, dirfd, name);
    if (made != 0 && errno == EEXIST) { /* somebody put it there */
        int result = remove_entry(out, dirfd, name);
        if (result < 0)
            return result;
        made = make_entry(out, entry, dirfd, name);
    }
    if (made != 0)
        return fail(out, errno == EBADMSG ? "take cached file" : "make");
    return entry->type == 'd' ? fill_below(out, dirfd, name, entry, NULL) : 0;
}

static int change_entry(struct checkout *out, int dirfd, const struct cache_entry *entry,
                        const struct cache_entry *old)
{
    const char *name = cache_name(entry != NULL ? entry : old);

    if (entry != NULL && old != NULL && cache_is_same(entry, old))
        return 0;
    size_t before = tree_path_push(&out->path, name);
    if (before == (size_t)-1)
        return fail(out, "malloc");
    int result = entry == NULL ? remove_entry(out, dirfd, name) : put_entry(out, dirfd, entry, old);
    if (result == 0)
        tree_path_cut(&out->path, before);
    return result;
}

static int change_entries(struct checkout *out, int fd, const struct cache_list *list,
                          const struct cache_list *old_list)
{
    size_t at = 0, old_at = 0;
    const struct cache_entry *entry = cache_next(list, &at), *old = cache_next(old_list, &old_at);

    while (entry != NULL || old != NULL) {
        int order = entry == NULL ? 1
                    : old == NULL ? -1
                                  : strcmp(cache_name(entry), cache_name(old));
        int result = change_entry(out, fd, order <= 0 ? entry : NULL, order >= 0 ? old : NULL);
        if (result < 0)
            return result;
        if (order <= 0)
            entry = cache_next(list, &at);
        if (order >= 0)
            old = cache_next(old_list, &old_at);
    }
    return 0;
}

/* The directory FD, which is as OLD says or empty, becomes as ENTRY says. */
static int fill(struct checkout *out, int fd, const struct cache_entry *entry,
                const struct cache_entry *old)
{
    CACHE_LIST list = {0};
    CACHE_LIST old_list = {0};
    struct stat st;

    int result = cache_read_list(&out->cache, entry, &list, out->err);
    if (result == 0 && old != NULL)
        result = cache_read_list(&out->cache, old, &old_list, out->err);
    if (result < 0)
        return result;
    if (tree_stat_at(fd, "", &st) != 0 || ((st.st_mode & 0700) != 0700 && fchmod(fd, 0700) != 0))
        return fail(out, "fchmod");
    result = change_entries(out, fd, &list, &old_list);
    if (result < 0)
        return result;
    if ((out->flags & CH_CACHE_XATTRS) &&
        tree_unpack_xattrs(fd, cache_xattrs(entry), entry->xattrs_length) != 0)
        return fail(out, "setxattr");
    if (fchmod(fd, entry->mode) != 0 || set_times(fd, NULL, entry) != 0)
        return fail(out, "set mode and times");
    return 0;
}

int32_t ch_cache_check_out(int32_t cachefd, const char *state, const char *from, int32_t tofd,
                           uint32_t flags, struct ch_tree_counts *counts, struct ch_error *err)
{
    __attribute__((cleanup(free_checkout))) struct checkout out = {
        .cache = {.objects = -1, .states = -1},
        .to = tofd,
        .flags = flags,
        .counts = counts,
        .err = err,
    };
    TREE_FREE struct cache_entry *root = NULL;
    TREE_FREE struct cache_entry *old = NULL;

    *counts = (struct ch_tree_counts){0};
    if (tree_path_push(&out.path, "") == (size_t)-1)
        return CH_FAIL(err, "malloc", "%s", "");
    int result = cache_open(&out.cache, cachefd, err);
    if (result == 0)
        result = cache_read_root(&out.cache, state, &root, err);
    if (result == 0 && from[0] != '\0')
        result = cache_read_root(&out.cache, from, &old, err);
    return result < 0 ? result : fill(&out, tofd, root, old);
}
