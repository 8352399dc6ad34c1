/* Storing what an instruction made of a tree as a state: costs what has changed. Directories that
 * are what they were in the state before are referred to, not written again. */
#include "cache_commit.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

/* Where a directory's entries come from. */
enum source {
    SOURCE_TREE,  /* all that is there, and nothing else */
    SOURCE_UPPER, /* what was there, changed by an overlay's upper directory */
    SOURCE_PATHS, /* what was there, changed at certain paths */
};

static void free_commit(const struct commit *commit)
{
    cache_free_writer(&commit->writer);
    link_map_free(&commit->links);
    tree_free_path(&commit->path);
    free(commit->block);
    cache_close(&commit->cache);
}

static int fail(const struct commit *commit, const char *call)
{
    return CH_FAIL(commit->err, call, "%s", commit->path.text);
}

/* A line for the user, "p PATH"; what has no room is left out. */
static void notice(struct commit *commit, char kind)
{
    size_t length = commit->path.length + 3;

    if (length >= commit->notices_capacity - commit->notices_size)
        return;
    commit->notices_size += (size_t)snprintf(commit->notices + commit->notices_size, length + 1,
                                             "%c %s%c", kind, commit->path.text, '\n');
}

struct name_list {
    const char **names;
    size_t count;
    bool owned; /* each name too */
};

static void free_name_list(const struct name_list *list)
{
    for (size_t i = 0; list->owned && i < list->count; i++)
        free((char *)list->names[i]);
    free(list->names);
}
#define NAME_LIST __attribute__((cleanup(free_name_list))) struct name_list

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int sort_names(const struct tree_names *names, struct name_list *out)
{
    struct tree_name name;
    size_t count = 0;

    *out = (struct name_list){0};
    for (size_t at = 0; tree_next_name(names, &at, &name);)
        count++;
    out->names = malloc((count + 1) * sizeof(*out->names));
    if (out->names == NULL)
        return -1;
    for (size_t at = 0; tree_next_name(names, &at, &name);)
        out->names[out->count++] = name.name;
    qsort(out->names, out->count, sizeof(*out->names), compare_names);
    return 0;
}

static int commit_directory(struct commit *commit, int fd, enum source source,
                            const struct cache_entry *old, const char *const *paths,
                            struct cache_entry *entry, uint8_t identity[SHA256_SIZE]);

/* Modes without which the image could not be read again. */
static int fix_mode(struct commit *commit, int dirfd, const char *name, struct stat *st)
{
    mode_t wanted = st->st_mode | (S_ISDIR(st->st_mode) ? 0700 : 0400);

    if (S_ISLNK(st->st_mode) || wanted == st->st_mode)
        return 0;
    notice(commit, 'p');
    st->st_mode = wanted;
    return tree_chmod_at(dirfd, name, wanted & 07777);
}

static void describe(struct cache_entry *entry, char type, const struct stat *st)
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

static int add_symlink(struct commit *commit, int dirfd, const char *name, const struct stat *st,
                       struct cache_list *list)
{
    TREE_FREE char *target = malloc((size_t)st->st_size + 1);
    ssize_t length = target == NULL ? -1 : readlinkat(dirfd, name, target, (size_t)st->st_size + 1);

    if (length < 0 || length > st->st_size)
        return fail(commit, "readlinkat");
    struct cache_entry *entry = cache_add(list, name, target, (size_t)length, NULL, 0);
    if (entry == NULL)
        return fail(commit, "malloc");
    describe(entry, 'l', st);
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

static int add_file(struct commit *commit, int dirfd, const char *name, const struct stat *st,
                    enum source source, const struct cache_entry *old, struct cache_list *list)
{
    TREE_FREE char *xattrs = NULL;
    ssize_t xattrs_size = 0;
    bool by_copy = (commit->flags & CH_CACHE_PRIVATE) != 0;
    bool unchanged = is_unchanged(commit, st, old);
    const char *path = unchanged ? cache_first_path(old, commit->path.text) : commit->path.text;
    const char *first;

    if (find_first_name(commit, st, path, &first) != 0)
        return fail(commit, "malloc");
    if (unchanged && first == NULL)
        return cache_add_copy(list, old) != 0 ? fail(commit, "malloc") : 0;
    TREE_CLOSE int look = openat(dirfd, name, TREE_LOOK);
    if (look < 0)
        return fail(commit, "openat");
    if (source == SOURCE_UPPER && tree_strip_overlay_xattrs(look) != 0)
        return fail(commit, "removexattr");
    if (commit->flags & CH_CACHE_XATTRS)
        xattrs_size = tree_pack_xattrs(look, &xattrs);
    else if (tree_has_user_xattrs(look))
        by_copy = true; /* the object is to have none */
    if (xattrs_size < 0)
        return fail(commit, "getxattr");
    struct cache_entry *entry = cache_add(list, name, first, first == NULL ? 0 : strlen(first),
                                          xattrs, (size_t)xattrs_size);
    if (entry == NULL)
        return fail(commit, "malloc");
    describe(entry, 'f', st);
    commit->result->files_read++;
    if (commit_hash_file(commit, dirfd, name, entry) != 0)
        return fail(commit, "read file");
    return commit_store_object(commit, dirfd, name, entry, st, by_copy) != 0
               ? fail(commit, "store file")
               : 0;
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
        return fail(commit, "getxattr");
    int result = commit_directory(commit, fd, source, old, paths, &below, identity);
    if (result < 0)
        return result;
    struct cache_entry *entry = cache_add(list, name, NULL, 0, xattrs, (size_t)xattrs_size);
    if (entry == NULL)
        return fail(commit, "malloc");
    describe(entry, 'd', st);
    entry->file = below.file;
    entry->offset = below.offset;
    memcpy(entry->digest, below.digest, sizeof(entry->digest));
    /* Files may have given way to objects. */
    struct stat now;
    if (tree_stat_at(fd, "", &now) == 0 &&
        (now.st_mtim.tv_sec != st->st_mtim.tv_sec || now.st_mtim.tv_nsec != st->st_mtim.tv_nsec)) {
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, st->st_mtim};
        if (futimens(fd, times) != 0)
            return fail(commit, "futimens");
    }
    return 0;
}

static bool is_rpm_leftover(const char *path)
{
    return strncmp(path, "var/lib/rpm/__db.", strlen("var/lib/rpm/__db.")) == 0;
}

/* The entry NAME, which is at the path of COMMIT. PATHS: NULL if all of it may have changed. */
static int add_entry(struct commit *commit, int dirfd, const char *name, enum source source,
                     const struct cache_entry *old, const char *const *paths,
                     struct cache_list *list, struct sha256 *identities)
{
    uint8_t identity[SHA256_SIZE] = {0};
    uint64_t count = list->count;
    struct stat st;
    int result = 0;

    if (tree_stat_at(dirfd, name, &st) != 0)
        return errno == ENOENT ? 0 : fail(commit, "fstatat");
    if (S_ISREG(st.st_mode) && is_rpm_leftover(commit->path.text)) {
        notice(commit, 'r');
        return unlinkat(dirfd, name, 0) != 0 ? fail(commit, "unlinkat") : 0;
    }
    if (S_ISSOCK(st.st_mode)) {
        notice(commit, 's');
        return unlinkat(dirfd, name, 0) != 0 ? fail(commit, "unlinkat") : 0;
    }
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
        if (source == SOURCE_UPPER && st.st_rdev == 0)
            return 0; /* a whiteout */
        return CH_FAIL_WITH(commit->err, ENODEV, "store device", "%s", commit->path.text);
    }
    if (source == SOURCE_UPPER && S_ISREG(st.st_mode) && st.st_size == 0) {
        TREE_CLOSE int look = openat(dirfd, name, TREE_LOOK);
        if (look < 0)
            return fail(commit, "openat");
        if (tree_is_whiteout(look, &st))
            return 0;
    }
    if (fix_mode(commit, dirfd, name, &st) != 0)
        return fail(commit, "chmod");
    if (S_ISDIR(st.st_mode)) {
        TREE_CLOSE int fd = openat(dirfd, name, TREE_DIRECTORY);
        if (fd < 0)
            return fail(commit, "openat");
        if (old != NULL && (old->type != 'd' || (source == SOURCE_UPPER && tree_is_opaque(fd))))
            old = NULL;
        /* What is new, is new as a whole. */
        if (source == SOURCE_PATHS && (paths == NULL || old == NULL))
            source = SOURCE_TREE;
        result = add_directory(commit, fd, name, &st, source, old, paths, list, identity);
    } else if (S_ISREG(st.st_mode)) {
        result = add_file(commit, dirfd, name, &st, source, old, list);
    } else if (S_ISLNK(st.st_mode)) {
        result = add_symlink(commit, dirfd, name, &st, list);
    } else {
        struct cache_entry *entry = cache_add(list, name, NULL, 0, NULL, 0);
        if (entry == NULL)
            return fail(commit, "malloc");
        describe(entry, 'p', &st);
    }
    if (result == 0 && list->count > count)
        add_identity(identities, commit, (const void *)(list->data + list->last), identity);
    return result;
}

/* The part of PATH behind the directory that COMMIT is at; NULL if it is not below. */
static const char *path_below(const struct commit *commit, const char *path)
{
    size_t length = commit->path.length;

    if (length == 0)
        return path;
    return strncmp(path, commit->path.text, length) == 0 && path[length] == '/' ? path + length + 1
                                                                                : NULL;
}

/* Names in this directory that PATHS lead to or through, as getdents64 would give them. */
static int names_on_paths(const struct commit *commit, const char *const *paths,
                          struct name_list *out)
{
    size_t count = 0;

    while (paths[count] != NULL)
        count++;
    *out = (struct name_list){.names = calloc(count + 1, sizeof(*out->names)), .owned = true};
    if (out->names == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const char *below = path_below(commit, paths[i]);
        if (below == NULL)
            continue;
        out->names[out->count] = strndup(below, strcspn(below, "/"));
        if (out->names[out->count++] == NULL)
            return -1;
    }
    qsort(out->names, out->count, sizeof(*out->names), compare_names);
    return 0;
}

/* Does one of PATHS end where COMMIT is? */
static bool is_end(const struct commit *commit, const char *const *paths)
{
    for (; paths != NULL && *paths != NULL; paths++)
        if (strcmp(*paths, commit->path.text) == 0)
            return true;
    return false;
}

/* OLD: the entry of that name, if there was one. */
static int add_named(struct commit *commit, int fd, const char *name, enum source source,
                     const struct cache_entry *old, const char *const *paths,
                     struct cache_list *list, struct sha256 *identities)
{
    size_t before = tree_path_push(&commit->path, name);

    if (before == (size_t)-1)
        return fail(commit, "malloc");
    if (source == SOURCE_PATHS && is_end(commit, paths))
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
                return fail(commit, "malloc");
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
            ? names_on_paths(commit, paths, &names) != 0
            : tree_read_names(fd, &on_disk) != 0 || sort_names(&on_disk, &names) != 0)
        return fail(commit, "getdents64");
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
        return fail(commit, "fstatat");
    if ((st.st_mode & 0700) != 0700) {
        st.st_mode |= 0700;
        if (fchmod(fd, st.st_mode & 07777) != 0)
            return fail(commit, "fchmod");
    }
    if (source == SOURCE_PATHS && (old == NULL || is_end(commit, paths)))
        source = SOURCE_TREE;
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
