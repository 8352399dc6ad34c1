/* States of the build cache on disk; what the cache_*.c share. docs/architecture.md, "The build
 * cache", has the reasons.
 *
 * Below the cache's directory:
 *
 * states/PATH is a file for each state. It holds the directories that differ from those of earlier
 * states; for the others it refers to the files of those. In it, one after another:
 *   CACHE_MAGIC (8 bytes)
 *   directories: struct cache_directory, then its entries
 *   the entry of the root directory
 *   names of the other files referred to, each with a NUL; an entry's `file` counts them from 1,
 *   and 0 is this file
 *   struct cache_tree
 *   what TypeScript has to say about the state
 *   struct cache_trailer (ffi/cache.ts writes it)
 *
 * objects/XX/YYY… is a hard link to each regular file of any state, named by the hash of its
 * content, its metadata and the path that it had first. So two names in an image are one file in
 * the store exactly if they are hard links in the image.
 *
 * All numbers are of the machine's byte order, which CACHE_MAGIC tells. */
#ifndef CH_CACHE_H
#define CH_CACHE_H

#include "tree.h"

#include "sha256.h"

#define CACHE_MAGIC 0x0165746174736863u /* "chstate" and 1, on a little-endian machine */

struct cache_entry {
    uint32_t length; /* with what follows, a multiple of 8 */
    uint32_t file;   /* directories: where its entries are */
    uint64_t offset;
    /* From here on it tells what is there, and counts for the directory's digest. */
    uint8_t type; /* 'd', 'f', 'l', 'p' */
    uint8_t reserved;
    uint16_t name_length;
    uint32_t mode; /* permission bits */
    int64_t mtime;
    uint32_t mtime_nsec;
    uint32_t text_length; /* of a link's target; of the path of the file this is a hard link to */
    uint64_t size;        /* of files */
    uint8_t digest[SHA256_SIZE]; /* of a file's content, of a directory's entries */
    uint32_t xattrs_length;
    uint32_t reserved2;
    /* name NUL, text NUL, xattrs (tree_pack_xattrs), zeros */
};
static_assert(sizeof(struct cache_entry) == 88, "format of files");
#define CACHE_ENTRY_DIGESTED offsetof(struct cache_entry, type)

static inline const char *cache_name(const struct cache_entry *entry)
{
    return (const char *)(entry + 1);
}
static inline const char *cache_text(const struct cache_entry *entry)
{
    return cache_name(entry) + entry->name_length + 1;
}
static inline const char *cache_xattrs(const struct cache_entry *entry)
{
    return cache_text(entry) + entry->text_length + 1;
}
/* Do both say the same, wherever their directories' entries may be? */
bool cache_is_same(const struct cache_entry *one, const struct cache_entry *other);

struct cache_directory {
    uint64_t size; /* of the entries */
    uint64_t count;
};

struct cache_tree {
    uint64_t root; /* offset of the root's entry */
    uint64_t root_length;
    uint64_t names; /* offset of the names of other files */
    uint64_t names_length;
};

struct cache_trailer {
    uint64_t tree; /* offset of struct cache_tree */
    uint64_t text_length;
    uint64_t
        check; /* first 8 bytes of the SHA-256 of struct cache_tree, the root's entry and names */
    uint64_t magic;
};
static_assert(sizeof(struct cache_trailer) == 32, "ffi/cache.ts writes this block");

/* An open cache. The files are of states, opened when they are needed. */
struct cache {
    int objects;
    int states;
    struct cache_file {
        char *name;
        int fd; /* -1: not opened yet */
        uint64_t size;
        uint32_t *others; /* numbers of the files it refers to */
        uint32_t other_count;
    } * files;
    uint32_t count;
};
#define CACHE_HERE UINT32_MAX /* an entry's `file` while the file is being written */

int cache_open(struct cache *cache, int dirfd, struct ch_error *err);
void cache_close(const struct cache *cache);
#define CACHE __attribute__((cleanup(cache_close))) struct cache

/* The entry of the root directory of a state, to be freed. In what is read, `file` is a number in
 * CACHE->files. EBADMSG if the file is damaged. */
int cache_read_root(struct cache *cache, const char *state, struct cache_entry **root,
                    struct ch_error *err);

/* The entries of a directory. */
struct cache_list {
    char *data;
    size_t size;
    size_t capacity;
    size_t last; /* where the entry that was added last is */
    uint64_t count;
};
/* Reads those of ENTRY, and checks them against its digest. */
int cache_read_list(struct cache *cache, const struct cache_entry *entry, struct cache_list *out,
                    struct ch_error *err);
static inline void cache_free_list(const struct cache_list *list)
{
    free(list->data);
}
#define CACHE_LIST __attribute__((cleanup(cache_free_list))) struct cache_list
/* The entry at *AT, which moves on; NULL at the end. */
const struct cache_entry *cache_next(const struct cache_list *list, size_t *at);
/* Room at the end for an entry with these; they are copied, the lengths set, the rest is zero. The
 * entry is part of the list, which may move with the next one. NULL if out of memory. */
struct cache_entry *cache_add(struct cache_list *list, const char *name, const char *text,
                              size_t text_length, const char *xattrs, size_t xattrs_length);
int cache_add_copy(struct cache_list *list, const struct cache_entry *entry);
void cache_hash_list(const struct cache_list *list, uint8_t digest[SHA256_SIZE]);

/* Writing a state's file. */
struct cache_writer {
    int fd;
    struct cache *cache;
    uint64_t offset;
    char *buffer;
    size_t used;
    uint32_t *others; /* numbers in CACHE->files of what is referred to */
    uint32_t other_count;
};
int cache_begin_file(struct cache_writer *writer, struct cache *cache, int dirfd, const char *name,
                     struct ch_error *err);
/* The list's entries are changed on the way. Where they are goes to *OFFSET. */
int cache_write_list(struct cache_writer *writer, struct cache_list *list, uint64_t *offset,
                     struct ch_error *err);
/* The trailer is to be appended, with the state's text before it. */
int cache_end_file(struct cache_writer *writer, struct cache_entry *root,
                   struct cache_trailer *trailer, uint64_t *size, struct ch_error *err);
void cache_free_writer(const struct cache_writer *writer);

/* Objects. */
#define CACHE_KEY                                                                                  \
    24 /* bytes; enough against collisions, and shorter names make smaller directories */
#define CACHE_OBJECT_NAME (2 * CACHE_KEY + 2)
/* Key and name of the object of a regular file that had PATH first. */
void cache_hash_object(const struct cache_entry *entry, const char *path, uint8_t key[CACHE_KEY]);
void cache_name_object(const struct cache_entry *entry, const char *path,
                       char name[CACHE_OBJECT_NAME]);
void cache_name_key(const uint8_t key[CACHE_KEY], char name[CACHE_OBJECT_NAME]);
/* Is ST the object of ENTRY, as far as can be told without reading it? */
bool cache_is_intact(const struct cache_entry *entry, const struct stat *st);
/* Path that ENTRY, which is at PATH, had first. */
static inline const char *cache_first_path(const struct cache_entry *entry, const char *path)
{
    return entry->text_length > 0 ? cache_text(entry) : path;
}

#endif
