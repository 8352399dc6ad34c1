/* A directory becomes what a state holds: from nothing, or from another state by what differs. */
#define _GNU_SOURCE
#include "cache_checkout.h"

#include <fcntl.h>
#include <string.h>

static int fill(struct checkout *out, int fd, const struct cache_entry *entry,
                const struct cache_entry *old);
static int fill_new(struct checkout *out, int fd, const struct cache_entry *entry);

static int fill_below(struct checkout *out, int dirfd, const char *name,
                      const struct cache_entry *entry, const struct cache_entry *old)
{
    int fd = openat(dirfd, name, TREE_DIRECTORY);

    if (fd < 0 && errno == EACCES && tree_chmod_at(dirfd, name, 0700) == 0)
        fd = openat(dirfd, name, TREE_DIRECTORY);
    if (fd < 0)
        return checkout_fail(out, "openat");
    if (old == NULL)
        return fill_new(out, fd, entry);
    int result = fill(out, fd, entry, old);
    close(fd);
    return result;
}

/* OLD: what has been there, or NULL. */
static int put_entry(struct checkout *out, int dirfd, const struct cache_entry *entry,
                     const struct cache_entry *old)
{
    const char *name = cache_name(entry);

    if (old != NULL && entry->type == 'd' && old->type == 'd')
        return fill_below(out, dirfd, name, entry, old);
    int result = old == NULL ? 0 : checkout_remove(out, dirfd, name);
    if (result == 0)
        result = checkout_make(out, entry, dirfd, name);
    return result == 0 && entry->type == 'd' ? fill_below(out, dirfd, name, entry, NULL) : result;
}

static int change_entry(struct checkout *out, int dirfd, const struct cache_entry *entry,
                        const struct cache_entry *old)
{
    const char *name = cache_name(entry != NULL ? entry : old);

    if (entry != NULL && old != NULL && cache_is_same(entry, old))
        return 0;
    size_t before = tree_path_push(&out->path, name);
    if (before == (size_t)-1)
        return checkout_fail(out, "malloc");
    int result =
        entry == NULL ? checkout_remove(out, dirfd, name) : put_entry(out, dirfd, entry, old);
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

/* Reads the entries of a directory, which is made to be written to. */
static int open_list(struct checkout *out, int fd, const struct cache_entry *entry,
                     struct cache_list *list)
{
    struct stat st;

    int result = cache_read_list(&out->cache, entry, list, out->err);
    if (result < 0)
        return result;
    if (tree_stat_at(fd, "", &st) != 0 || ((st.st_mode & 0700) != 0700 && fchmod(fd, 0700) != 0))
        return checkout_fail(out, "fchmod");
    return 0;
}

/* The directory FD, which is as OLD says, becomes as ENTRY says. */
static int fill(struct checkout *out, int fd, const struct cache_entry *entry,
                const struct cache_entry *old)
{
    CACHE_LIST list = {0};
    CACHE_LIST old_list = {0};

    int result = open_list(out, fd, entry, &list);
    if (result == 0)
        result = cache_read_list(&out->cache, old, &old_list, out->err);
    if (result == 0)
        result = change_entries(out, fd, &list, &old_list);
    return result < 0 ? result : checkout_settle(out, fd, entry);
}

/* The same with an empty directory, and FD is closed. What is below comes first, so that the rest
 * can be left to others. */
static int fill_new(struct checkout *out, int fd, const struct cache_entry *entry)
{
    TREE_CLOSE int own = fd;
    CACHE_LIST list = {0};
    const struct cache_entry *one;

    int result = open_list(out, fd, entry, &list);
    for (size_t at = 0; result == 0 && (one = cache_next(&list, &at)) != NULL;)
        if (one->type == 'd')
            result = change_entry(out, fd, one, NULL);
    if (result < 0)
        return result;
    if (!crew_give(out->crew, out->path.text, fd, &list, entry))
        return checkout_complete(out, fd, &list, entry);
    own = -1;
    return 0;
}

static int check_out(struct checkout *out, int cachefd, const char *state, const char *from)
{
    TREE_FREE struct cache_entry *root = NULL;
    TREE_FREE struct cache_entry *old = NULL;

    if (tree_path_push(&out->path, "") == (size_t)-1)
        return checkout_fail(out, "malloc");
    int result = cache_open(&out->cache, cachefd, out->err);
    if (result == 0)
        result = cache_read_root(&out->cache, state, &root, out->err);
    if (result == 0 && from[0] != '\0')
        result = cache_read_root(&out->cache, from, &old, out->err);
    if (result < 0)
        return result;
    /* Copies are made one after another anyway. */
    if ((out->flags & CH_CACHE_PRIVATE) == 0)
        out->crew = crew_new(out);
    if (old != NULL)
        return crew_end(out->crew, out, fill(out, out->to, root, old));
    int fd = fcntl(out->to, F_DUPFD_CLOEXEC, 0);
    return crew_end(out->crew, out, fd < 0 ? checkout_fail(out, "fcntl") : fill_new(out, fd, root));
}

int32_t ch_cache_check_out(int32_t cachefd, const char *state, const char *from, int32_t tofd,
                           uint32_t flags, struct ch_tree_counts *counts, struct ch_error *err)
{
    struct checkout_copies copies = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct checkout out = {
        .cache = {.objects = -1, .states = -1},
        .to = tofd,
        .flags = flags,
        .copies = &copies,
        .counts = counts,
        .err = err,
    };

    *counts = (struct ch_tree_counts){0};
    int result = check_out(&out, cachefd, state, from);
    cache_close(&out.cache);
    tree_free_path(&out.path);
    key_map_free(&copies.map);
    return result;
}
