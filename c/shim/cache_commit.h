/* What the cache_commit*.c and cache_object.c share. */
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
    int newfd;             /* a tree of which nothing is known yet, -1 if there is something */
    struct ahead *ahead;   /* NULL before it pays */
    char *block;
    char *notices;
    size_t notices_size;
    size_t notices_capacity;
    struct ch_cache_commit_result *result;
    struct ch_error *err;
};

/* CALL failed with errno at the path of COMMIT. */
int commit_fail(const struct commit *commit, const char *call);

/* Is the entry NAME, which is at the path of COMMIT, to be stored? 1 if so: *ST is it then, with
 * the mode that it has or has been given. What images cannot have is removed; a device is an error.
 * UPPER: of an overlay, where whiteouts are no entries. */
int commit_admit(struct commit *commit, int dirfd, const char *name, bool upper, struct stat *st);

/* Names in a directory, sorted. */
struct name_list {
    const char **names;
    size_t count;
    bool owned; /* each name too */
};
void commit_free_names(const struct name_list *list);
#define NAME_LIST __attribute__((cleanup(commit_free_names))) struct name_list
/* The list refers to NAMES. -1 if out of memory. */
int commit_sort_names(const struct tree_names *names, struct name_list *out);
/* Those in the directory that COMMIT is at that PATHS lead to or through. -1 if out of memory. */
int commit_names_on_paths(const struct commit *commit, const char *const *paths,
                          struct name_list *out);
/* Does one of PATHS end where COMMIT is? */
bool commit_is_end(const struct commit *commit, const char *const *paths);

/* What ST says of an entry of TYPE. */
void commit_describe(struct cache_entry *entry, char type, const struct stat *st);
/* The entry NAME, which is at the path of COMMIT, to LIST. A file becomes an object. OLD: what was
 * there. */
int commit_add_symlink(struct commit *commit, int dirfd, const char *name, const struct stat *st,
                       struct cache_list *list);
int commit_add_file(struct commit *commit, int dirfd, const char *name, const struct stat *st,
                    bool upper, const struct cache_entry *old, struct cache_list *list);

/* Both return -1 and errno. The digest of the file NAME, which has SIZE bytes. BLOCK: COMMIT_BLOCK
 * bytes to work in. */
int commit_hash_data(int dirfd, const char *name, uint64_t size, char *block,
                     uint8_t digest[SHA256_SIZE]);
/* There is an object for the file NAME, which is at the path of COMMIT and which ENTRY describes.
 */
int commit_store_object(struct commit *commit, int dirfd, const char *name,
                        const struct cache_entry *entry, const struct stat *file, bool by_copy);

#endif
