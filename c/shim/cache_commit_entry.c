/* What a commit says of a single entry: of files, after they have become objects, and of links. */
#include "cache_commit_ahead.h"

#include <string.h>

/* So many files are hashed sooner than a thread begins to. */
#define FEW_FILES 16

void commit_describe(struct cache_entry *entry, char type, const struct stat *st)
{
    entry->type = (uint8_t)type;
    entry->mode = st->st_mode & 07777;
    entry->mtime = st->st_mtim.tv_sec;
    entry->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
    if (type == 'f')
        entry->size = (uint64_t)st->st_size;
    if (type == 'l')
        entry->mode = 0777;
}

int commit_add_symlink(struct commit *commit, int dirfd, const char *name, const struct stat *st,
                       struct cache_list *list)
{
    TREE_FREE char *target = malloc((size_t)st->st_size + 1);
    ssize_t length = target == NULL ? -1 : readlinkat(dirfd, name, target, (size_t)st->st_size + 1);

    if (length < 0 || length > st->st_size)
        return commit_fail(commit, "readlinkat");
    struct cache_entry *entry = cache_add(list, name, target, (size_t)length, NULL, 0);
    if (entry == NULL)
        return commit_fail(commit, "malloc");
    commit_describe(entry, 'l', st);
    return 0;
}

/* Is the file what OLD says, for certain and without reading it? */
static bool is_unchanged(const struct commit *commit, const struct stat *st,
                         const struct cache_entry *old)
{
    char object[CACHE_OBJECT_NAME];
    struct stat stored;

    if (old == NULL || old->type != 'f' || !cache_is_intact(old, st))
        return false;
    if (commit->flags & CH_CACHE_PRIVATE) /* nobody can set back the time of change */
        return st->st_ctim.tv_sec < commit->since.tv_sec ||
               (st->st_ctim.tv_sec == commit->since.tv_sec &&
                st->st_ctim.tv_nsec < commit->since.tv_nsec);
    cache_name_object(old, cache_first_path(old, commit->path.text), object);
    return tree_stat_at(commit->cache.objects, object, &stored) == 0 &&
           stored.st_ino == st->st_ino && stored.st_dev == st->st_dev;
}

/* The path of the file's first name goes to *FIRST, NULL if that is PATH. */
static int find_first_name(struct commit *commit, const struct stat *st, const char *path,
                           const char **first)
{
    *first = NULL;
    if (st->st_nlink < 2)
        return 0;
    struct link_slot *slot = link_map_find(&commit->links, st->st_dev, st->st_ino);
    if (slot == NULL)
        return -1;
    if (slot->path == NULL)
        return link_map_set(&commit->links, slot, st->st_dev, st->st_ino, path);
    *first = strcmp(slot->path, path) == 0 ? NULL : slot->path;
    return 0;
}

/* What has a file's digest computed: other threads, if there are many. */
static int hash_file(struct commit *commit, int dirfd, const char *name, const struct stat *st,
                     struct cache_entry *entry)
{
    if (++commit->result->files_read == FEW_FILES && commit->newfd >= 0)
        commit->ahead = ahead_start(commit->newfd);
    if (commit->ahead != NULL && ahead_take(commit->ahead, st, entry->digest))
        return 0;
    return commit_hash_data(dirfd, name, entry->size, commit->block, entry->digest);
}

int commit_add_file(struct commit *commit, int dirfd, const char *name, const struct stat *st,
                    bool upper, const struct cache_entry *old, struct cache_list *list)
{
    TREE_FREE char *xattrs = NULL;
    ssize_t xattrs_size = 0;
    bool by_copy = (commit->flags & CH_CACHE_PRIVATE) != 0;
    bool unchanged = is_unchanged(commit, st, old);
    const char *path = unchanged ? cache_first_path(old, commit->path.text) : commit->path.text;
    const char *first;

    if (find_first_name(commit, st, path, &first) != 0)
        return commit_fail(commit, "malloc");
    if (unchanged && first == NULL)
        return cache_add_copy(list, old) != 0 ? commit_fail(commit, "malloc") : 0;
    TREE_CLOSE int look = openat(dirfd, name, TREE_LOOK);
    if (look < 0)
        return commit_fail(commit, "openat");
    if (upper && tree_strip_overlay_xattrs(look) != 0)
        return commit_fail(commit, "removexattr");
    if (commit->flags & CH_CACHE_XATTRS)
        xattrs_size = tree_pack_xattrs(look, &xattrs);
    else if (tree_has_user_xattrs(look))
        by_copy = true; /* the object is to have none */
    if (xattrs_size < 0)
        return commit_fail(commit, "getxattr");
    struct cache_entry *entry = cache_add(list, name, first, first == NULL ? 0 : strlen(first),
                                          xattrs, (size_t)xattrs_size);
    if (entry == NULL)
        return commit_fail(commit, "malloc");
    commit_describe(entry, 'f', st);
    if (hash_file(commit, dirfd, name, st, entry) != 0)
        return commit_fail(commit, "read file");
    return commit_store_object(commit, dirfd, name, entry, st, by_copy) != 0
               ? commit_fail(commit, "store file")
               : 0;
}
