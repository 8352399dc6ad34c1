/* Regular files become objects of the cache. The object is the file itself, by a further hard link,
 * unless the file may be written to in place later, or the file system has no such links. */
#include "cache_commit.h"

#include <stdio.h>
#include <string.h>

#define WORK_NAME "object"

int commit_hash_data(int dirfd, const char *name, uint64_t size, char *block,
                     uint8_t digest[SHA256_SIZE])
{
    TREE_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct sha256 hash;

    if (fd < 0)
        return -1;
    sha256_begin(&hash);
    for (uint64_t at = 0;;) {
        ssize_t got = pread(fd, block, COMMIT_BLOCK, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        sha256_add(&hash, block, (size_t)got);
        at += (uint64_t)got;
        if (got == 0 || at >= size) {
            if (at != size) { /* somebody else is writing to it */
                errno = EBUSY;
                return -1;
            }
            break;
        }
    }
    sha256_end(&hash, digest);
    return 0;
}

/* The directory of an object is made when it is needed. */
static int link_to_object(const struct commit *commit, int dirfd, const char *name,
                          const char *object)
{
    if (linkat(dirfd, name, commit->cache.objects, object, 0) == 0)
        return 0;
    if (errno != ENOENT)
        return -1;
    char directory[3] = {object[0], object[1], '\0'};
    if (mkdirat(commit->cache.objects, directory, 0777) != 0 && errno != EEXIST)
        return -1;
    return linkat(dirfd, name, commit->cache.objects, object, 0);
}

/* The file gives way to the object, so that there is one of them on disk. */
static int take_object(struct commit *commit, int dirfd, const char *name, const char *object)
{
    unlinkat(commit->workfd, WORK_NAME, 0);
    if (linkat(commit->cache.objects, object, commit->workfd, WORK_NAME, 0) != 0)
        return errno == EMLINK ? 0 : -1;
    return renameat(commit->workfd, WORK_NAME, dirfd, name);
}

/* A file in the working directory takes the name of the object, whatever had it. */
static int install_object(struct commit *commit, const char *object)
{
    if (renameat(commit->workfd, WORK_NAME, commit->cache.objects, object) == 0)
        return 0;
    if (errno != ENOENT)
        return -1;
    char directory[3] = {object[0], object[1], '\0'};
    if (mkdirat(commit->cache.objects, directory, 0777) != 0 && errno != EEXIST)
        return -1;
    return renameat(commit->workfd, WORK_NAME, commit->cache.objects, object);
}

static int copy_to_object(struct commit *commit, int dirfd, const char *name,
                          const struct cache_entry *entry, const char *object)
{
    struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = entry->mtime, .tv_nsec = entry->mtime_nsec},
    };
    struct stat st;

    if (tree_stat_at(commit->cache.objects, object, &st) == 0 && cache_is_intact(entry, &st))
        return 0;
    TREE_CLOSE int from = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (from < 0)
        return -1;
    unlinkat(commit->workfd, WORK_NAME, 0);
    TREE_CLOSE int to = openat(commit->workfd, WORK_NAME,
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0 || tree_copy_data(from, to, entry->size) != 0 ||
        tree_unpack_xattrs(to, cache_xattrs(entry), entry->xattrs_length) != 0 ||
        fchmod(to, entry->mode) != 0 || futimens(to, times) != 0)
        return -1;
    commit->result->new_objects++;
    commit->result->new_bytes += entry->size;
    return install_object(commit, object);
}

static int store_object(struct commit *commit, int dirfd, const char *name,
                        const struct cache_entry *entry, const struct stat *file, bool by_copy,
                        const char *object)
{
    struct stat st;

    if (by_copy)
        return copy_to_object(commit, dirfd, name, entry, object);
    if (link_to_object(commit, dirfd, name, object) == 0) {
        commit->result->new_objects++;
        commit->result->new_bytes += entry->size;
        return 0;
    }
    if (errno != EEXIST) {
        /* As many links as can be, or none at all, as on some file systems. */
        if (errno != EMLINK && errno != EPERM && errno != ENOTSUP && errno != EXDEV)
            return -1;
        return copy_to_object(commit, dirfd, name, entry, object);
    }
    if (tree_stat_at(commit->cache.objects, object, &st) != 0)
        return -1;
    if (st.st_ino == file->st_ino && st.st_dev == file->st_dev)
        return 0;
    /* A file with more names would lose them one by one. */
    if (cache_is_intact(entry, &st))
        return file->st_nlink > 1 ? 0 : take_object(commit, dirfd, name, object);
    /* Somebody wrote to the object: this one is better. */
    unlinkat(commit->workfd, WORK_NAME, 0);
    if (linkat(dirfd, name, commit->workfd, WORK_NAME, 0) != 0)
        return -1;
    return install_object(commit, object);
}

/* Large files are listed by a further name: "<32 hex>%<path with / as %>", 192 characters at most.
 */
static int list_large(const struct commit *commit, const char *object)
{
    char name[193];

    snprintf(name, sizeof(name), "%.2s%.30s%%%s", object, object + 3, commit->path.text);
    for (char *at = name; *at != '\0'; at++)
        if (*at == '/')
            *at = '%';
    if (linkat(commit->cache.objects, object, commit->largefd, name, 0) == 0)
        return 0;
    /* It is a list for people: what cannot be linked is not listed. */
    return errno == EEXIST || errno == EMLINK || errno == EPERM || errno == ENOTSUP ? 0 : -1;
}

int commit_store_object(struct commit *commit, int dirfd, const char *name,
                        const struct cache_entry *entry, const struct stat *file, bool by_copy)
{
    char object[CACHE_OBJECT_NAME];

    cache_name_object(entry, cache_first_path(entry, commit->path.text), object);
    if (store_object(commit, dirfd, name, entry, file, by_copy, object) != 0)
        return -1;
    return commit->large > 0 && entry->size >= commit->large ? list_large(commit, object) : 0;
}
