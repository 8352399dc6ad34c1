/* Storing what an instruction made of a tree as a state: costs what has changed. Directories that
 * are what they were in the state before are referred to, not written again. */
#include "cache_commit_ahead.h"

#include <string.h>

/* Where a directory's entries come from. */
enum source {
    SOURCE_TREE,  /* all that is there, and nothing else */
    SOURCE_UPPER, /* what was there, changed by an overlay's upper directory */
    SOURCE_PATHS, /* what was there, changed at certain paths */
};

static void free_commit(const struct commit *commit)
{
    ahead_end(commit->ahead);
    cache_free_writer(&commit->writer);
    link_map_free(&commit->links);
    tree_free_path(&commit->path);
    free(commit->block);
    cache_close(&commit->cache);
}

int commit_fail(const struct commit *commit, const char *call)
{
    return CH_FAIL(commit->err, call, "%s", commit->path.text);
}

static int commit_directory(struct commit *commit, int fd, enum source source,
                            const struct cache_entry *old, const char *const *paths,
                            struct cache_entry *entry, uint8_t identity[SHA256_SIZE]);

/* What images made at different times have in common, if they have the same content: for the
 * identity of an import. Times of what we make ourselves do not count. */
static void add_identity(struct sha256 *hash, const struct commit *commit,
                         const struct cache_entry *entry, const uint8_t identity[SHA256_SIZE])
{
    bool ours = strncmp(commit->path.text, "ch/", 3) == 0;
    bool timed = entry->type == 'f' && entry->size > 0 && !ours;
    struct {
        uint64_t type, mode, size;
        int64_t mtime, mtime_nsec;
    } what = {entry->type, entry->mode, entry->size, timed ? entry->mtime : 0,
              timed ? entry->mtime_nsec : 0};

    sha256_add(hash, &what, sizeof(what));
    sha256_add(hash, cache_name(entry), (size_t)entry->name_length + 1);
    sha256_add(hash, cache_text(entry), (size_t)entry->text_length + 1);
    sha256_add(hash, entry->type == 'd' ? identity : entry->digest, SHA256_SIZE);
}
static int add_directory(struct commit *commit, int fd, const char *name, const struct stat *st,
                         enum source source, const struct cache_entry *old,
                         const char *const *paths, struct cache_list *list,
                         uint8_t identity[SHA256_SIZE])
{
    TREE_FREE char *xattrs = NULL;
    ssize_t xattrs_size = 0;
    struct cache_entry below = {0};

    if (commit->flags & CH_CACHE_XATTRS)
        xattrs_size = tree_pack_xattrs(fd, &xattrs);
    if (xattrs_size < 0)
        return commit_fail(commit, "getxattr");
    int result = commit_directory(commit, fd, source, old, paths, &below, identity);
    if (result < 0)
        return result;
    struct cache_entry *entry = cache_add(list, name, NULL, 0, xattrs, (size_t)xattrs_size);
    if (entry == NULL)
        return commit_fail(commit, "malloc");
    commit_describe(entry, 'd', st);
    entry->file = below.file;
    entry->offset = below.offset;
    memcpy(entry->digest, below.digest, sizeof(entry->digest));
    /* Files may have given way to objects. */
    struct stat now;
    if (tree_stat_at(fd, "", &now) == 0 &&
        (now.st_mtim.tv_sec != st->st_mtim.tv_sec || now.st_mtim.tv_nsec != st->st_mtim.tv_nsec)) {
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, st->st_mtim};
        if (futimens(fd, times) != 0)
            return commit_fail(commit, "futimens");
    }
    return 0;
}

/* The entry NAME, which is at the path of COMMIT. PATHS: NULL if all of it may have changed. */
static int add_entry(struct commit *commit, int dirfd, const char *name, enum source source,
                     const struct cache_entry *old, const char *const *paths,
                     struct cache_list *list, struct sha256 *identities)
{
    uint8_t identity[SHA256_SIZE] = {0};
    uint64_t count = list->count;
    struct stat st;

    int result = commit_admit(commit, dirfd, name, source == SOURCE_UPPER, &st);
    if (result <= 0)
        return result;
    result = 0;
    if (S_ISDIR(st.st_mode)) {
        TREE_CLOSE int fd = openat(dirfd, name, TREE_DIRECTORY);
        if (fd < 0)
            return commit_fail(commit, "openat");
        if (old != NULL && (old->type != 'd' || (source == SOURCE_UPPER && tree_is_opaque(fd))))
            old = NULL;
        /* What is new, is new as a whole. */
        if (source == SOURCE_PATHS && (paths == NULL || old == NULL))
            source = SOURCE_TREE;
        result = add_directory(commit, fd, name, &st, source, old, paths, list, identity);
    } else if (S_ISREG(st.st_mode)) {
        result = commit_add_file(commit, dirfd, name, &st, source == SOURCE_UPPER, old, list);
    } else if (S_ISLNK(st.st_mode)) {
        result = commit_add_symlink(commit, dirfd, name, &st, list);
    } else {
        struct cache_entry *entry = cache_add(list, name, NULL, 0, NULL, 0);
        if (entry == NULL)
            return commit_fail(commit, "malloc");
        commit_describe(entry, 'p', &st);
    }
    if (result == 0 && list->count > count)
        add_identity(identities, commit, (const void *)(list->data + list->last), identity);
    return result;
}
static int add_named(struct commit *commit, int fd, const char *name, enum source source,
                     const struct cache_entry *old, const char *const *paths,
                     struct cache_list *list, struct sha256 *identities)
{
    size_t before = tree_path_push(&commit->path, name);

    if (before == (size_t)-1)
        return commit_fail(commit, "malloc");
    if (source == SOURCE_PATHS && commit_is_end(commit, paths))
        paths = NULL;
    int result = add_entry(commit, fd, name, source, old, paths, list, identities);
    if (result == 0)
        tree_path_cut(&commit->path, before);
    return result;
}

/* The entries of the directory FD to LIST: those of OLD_LIST, and what SOURCE says. */
static int add_entries(struct commit *commit, int fd, enum source source,
                       const struct cache_list *old_list, const struct name_list *names,
                       const char *const *paths, struct cache_list *list, struct sha256 *identities)
{
    size_t at = 0;
    const struct cache_entry *old = cache_next(old_list, &at);

    for (size_t i = 0; i < names->count || old != NULL;) {
        const char *name = i < names->count ? names->names[i] : NULL;
        int order = name == NULL ? 1 : old == NULL ? -1 : strcmp(name, cache_name(old));

        if (order > 0) {
            if (source != SOURCE_TREE && cache_add_copy(list, old) != 0)
                return commit_fail(commit, "malloc");
            old = cache_next(old_list, &at);
            continue;
        }
        int result =
            add_named(commit, fd, name, source, order == 0 ? old : NULL, paths, list, identities);
        if (result < 0)
            return result;
        if (order == 0)
            old = cache_next(old_list, &at);
        do /* several paths may lead through one name */
            i++;
        while (i < names->count && strcmp(names->names[i], name) == 0);
    }
    return 0;
}

static int commit_directory(struct commit *commit, int fd, enum source source,
                            const struct cache_entry *old, const char *const *paths,
                            struct cache_entry *entry, uint8_t identity[SHA256_SIZE])
{
    CACHE_LIST old_list = {0};
    CACHE_LIST list = {0};
    TREE_NAMES on_disk = {NULL, 0};
    NAME_LIST names = {0};
    struct sha256 identities;

    if (old != NULL) {
        int result = cache_read_list(&commit->cache, old, &old_list, commit->err);
        if (result < 0)
            return result;
    }
    if (source == SOURCE_PATHS
            ? commit_names_on_paths(commit, paths, &names) != 0
            : tree_read_names(fd, &on_disk) != 0 || commit_sort_names(&on_disk, &names) != 0)
        return commit_fail(commit, "getdents64");
    sha256_begin(&identities);
    int result = add_entries(commit, fd, source, &old_list, &names, paths, &list, &identities);
    if (result < 0)
        return result;
    sha256_end(&identities, identity);
    cache_hash_list(&list, entry->digest);
    if (old != NULL && memcmp(entry->digest, old->digest, SHA256_SIZE) == 0) {
        entry->file = old->file;
        entry->offset = old->offset;
        return 0;
    }
    entry->file = CACHE_HERE;
    commit->result->directories_written++;
    return cache_write_list(&commit->writer, &list, &entry->offset, commit->err);
}

static int commit_root(struct commit *commit, int fd, enum source source,
                       const struct cache_entry *old, const char *const *paths)
{
    CACHE_LIST roots = {0};
    struct sha256 hash;
    struct stat st;

    if (tree_stat_at(fd, "", &st) != 0)
        return commit_fail(commit, "fstatat");
    if ((st.st_mode & 0700) != 0700) {
        st.st_mode |= 0700;
        if (fchmod(fd, st.st_mode & 07777) != 0)
            return commit_fail(commit, "fchmod");
    }
    if (source == SOURCE_PATHS && (old == NULL || commit_is_end(commit, paths)))
        source = SOURCE_TREE;
    if (source == SOURCE_UPPER || (source == SOURCE_TREE && old == NULL))
        commit->newfd = fd;
    int result =
        add_directory(commit, fd, "", &st, source, old, paths, &roots, commit->result->identity);
    if (result < 0)
        return result;
    struct cache_entry *root = (void *)roots.data;
    sha256_begin(&hash);
    sha256_add(&hash, (const char *)root + CACHE_ENTRY_DIGESTED,
               root->length - CACHE_ENTRY_DIGESTED);
    sha256_end(&hash, commit->result->digest);
    return cache_end_file(&commit->writer, root, (void *)commit->result->trailer,
                          &commit->result->size, commit->err);
}

static void free_paths(const char ***paths)
{
    free(*paths);
}

/* PATHS: each with a NUL, an empty one after the last but one. COUNT of them. */
static const char **split_paths(const char *paths, uint32_t count)
{
    const char **split = calloc((size_t)count + 1, sizeof(*split));

    for (uint32_t i = 0; split != NULL && i < count; i++, paths += strlen(paths) + 1)
        split[i] = paths;
    return split;
}

int32_t ch_cache_commit(const struct ch_cache_commit_request *request, const char *parent,
                        const char *paths, void *notices, uint32_t notices_capacity,
                        struct ch_cache_commit_result *result, struct ch_error *err)
{
    __attribute__((cleanup(free_commit))) struct commit commit = {
        .cache = {.objects = -1, .states = -1},
        .writer = {.fd = -1},
        .workfd = request->workfd,
        .newfd = -1,
        .flags = request->flags,
        .since = {.tv_sec = request->since, .tv_nsec = request->since_nsec},
        .large = request->large,
        .largefd = request->largefd,
        .block = malloc(COMMIT_BLOCK),
        .notices = notices,
        .notices_capacity = notices_capacity,
        .result = result,
        .err = err,
    };
    __attribute__((cleanup(free_paths))) const char **split = NULL;
    TREE_FREE struct cache_entry *old = NULL;

    *result = (struct ch_cache_commit_result){0};
    if (commit.block == NULL || tree_path_push(&commit.path, "") == (size_t)-1)
        return CH_FAIL(err, "malloc", "%s", "");
    split = split_paths(paths, request->path_count);
    if (split == NULL)
        return CH_FAIL(err, "malloc", "%s", "");
    int failed = cache_open(&commit.cache, request->cachefd, err);
    if (failed == 0 && parent[0] != '\0')
        failed = cache_read_root(&commit.cache, parent, &old, err);
    if (failed == 0)
        failed = cache_begin_file(&commit.writer, &commit.cache, request->workfd, "state", err);
    if (failed == 0)
        failed = commit_root(&commit, request->fd,
                             request->flags & CH_CACHE_OVERLAY ? SOURCE_UPPER : SOURCE_PATHS, old,
                             split);
    result->notices = commit.notices_size;
    return failed;
}
