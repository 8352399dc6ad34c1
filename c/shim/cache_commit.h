/* What cache_commit.c and cache_object.c share. */
#ifndef CH_CACHE_COMMIT_H
#define CH_CACHE_COMMIT_H

#include "cache.h"
#include "link_map.h"

#define COMMIT_BLOCK ((size_t)1 << 18)

struct commit {
    struct cache cache;
    struct cache_writer writer;
    int workfd; /* an empty directory, for files in the making */
    uint32_t flags;
    struct timespec since;
    uint64_t large;
    int largefd;
    struct tree_path path;
    struct link_map links; /* first paths of files with several names */
    char *block;
    char *notices;
    size_t notices_size;
    size_t notices_capacity;
    struct ch_cache_commit_result *result;
    struct ch_error *err;
};

/* All return -1 and errno. The file NAME has its size in ENTRY; gets its digest. */
int commit_hash_file(struct commit *commit, int dirfd, const char *name, struct cache_entry *entry);
/* There is an object for the file NAME, which is at the path of COMMIT and which ENTRY describes.
 */
int commit_store_object(struct commit *commit, int dirfd, const char *name,
                        const struct cache_entry *entry, const struct stat *file, bool by_copy);

#endif
