/* Entries of directories in memory, and the names of objects. */
#include "cache.h"

#include <string.h>

bool cache_is_same(const struct cache_entry *one, const struct cache_entry *other)
{
    return one->length == other->length && memcmp((const char *)one + CACHE_ENTRY_DIGESTED,
                                                  (const char *)other + CACHE_ENTRY_DIGESTED,
                                                  one->length - CACHE_ENTRY_DIGESTED) == 0;
}

const struct cache_entry *cache_next(const struct cache_list *list, size_t *at)
{
    if (*at >= list->size)
        return NULL;
    const struct cache_entry *entry = (const void *)(list->data + *at);
    *at += entry->length;
    return entry;
}

static struct cache_entry *make_room(struct cache_list *list, size_t length)
{
    if (length > list->capacity - list->size) {
        size_t capacity = list->capacity * 2 + length + 1024;
        char *grown = realloc(list->data, capacity);
        if (grown == NULL)
            return NULL;
        list->data = grown;
        list->capacity = capacity;
    }
    struct cache_entry *entry = (void *)(list->data + list->size);
    list->last = list->size;
    list->size += length;
    list->count++;
    return entry;
}

struct cache_entry *cache_add(struct cache_list *list, const char *name, const char *text,
                              size_t text_length, const char *xattrs, size_t xattrs_length)
{
    size_t name_length = strlen(name);
    size_t length = sizeof(struct cache_entry) + name_length + 1 + text_length + 1 + xattrs_length;

    length = (length + 7) & ~(size_t)7;
    struct cache_entry *entry = make_room(list, length);
    if (entry == NULL)
        return NULL;
    memset(entry, 0, length);
    entry->length = (uint32_t)length;
    entry->name_length = (uint16_t)name_length;
    entry->text_length = (uint32_t)text_length;
    entry->xattrs_length = (uint32_t)xattrs_length;
    memcpy((char *)cache_name(entry), name, name_length);
    if (text_length > 0)
        memcpy((char *)cache_text(entry), text, text_length);
    if (xattrs_length > 0)
        memcpy((char *)cache_xattrs(entry), xattrs, xattrs_length);
    return entry;
}

int cache_add_copy(struct cache_list *list, const struct cache_entry *entry)
{
    struct cache_entry *copy = make_room(list, entry->length);

    if (copy == NULL)
        return -1;
    memcpy(copy, entry, entry->length);
    return 0;
}

void cache_hash_list(const struct cache_list *list, uint8_t digest[SHA256_SIZE])
{
    const struct cache_entry *entry;
    struct sha256 hash;

    sha256_begin(&hash);
    for (size_t at = 0; (entry = cache_next(list, &at)) != NULL;)
        sha256_add(&hash, (const char *)entry + CACHE_ENTRY_DIGESTED,
                   entry->length - CACHE_ENTRY_DIGESTED);
    sha256_end(&hash, digest);
}

void cache_hash_object(const struct cache_entry *entry, const char *path, uint8_t key[CACHE_KEY])
{
    struct {
        uint64_t size;
        int64_t mtime;
        uint32_t mtime_nsec, mode;
        uint8_t digest[SHA256_SIZE];
    } what = {entry->size, entry->mtime, entry->mtime_nsec, entry->mode, {0}};
    uint8_t digest[SHA256_SIZE];
    struct sha256 hash;

    memcpy(what.digest, entry->digest, sizeof(what.digest));
    sha256_begin(&hash);
    sha256_add(&hash, &what, sizeof(what));
    sha256_add(&hash, path, strlen(path) + 1);
    sha256_add(&hash, cache_xattrs(entry), entry->xattrs_length);
    sha256_end(&hash, digest);
    memcpy(key, digest, CACHE_KEY);
}

void cache_name_key(const uint8_t key[CACHE_KEY], char name[CACHE_OBJECT_NAME])
{
    static const char HEX[] = "0123456789abcdef";

    for (int i = 0; i < CACHE_KEY; i++) {
        *name++ = HEX[key[i] >> 4];
        *name++ = HEX[key[i] & 15];
        if (i == 0)
            *name++ = '/';
    }
    *name = '\0';
}

void cache_name_object(const struct cache_entry *entry, const char *path,
                       char name[CACHE_OBJECT_NAME])
{
    uint8_t key[CACHE_KEY];

    cache_hash_object(entry, path, key);
    cache_name_key(key, name);
}

bool cache_is_intact(const struct cache_entry *entry, const struct stat *st)
{
    return S_ISREG(st->st_mode) && (uint64_t)st->st_size == entry->size &&
           st->st_mtim.tv_sec == entry->mtime &&
           (uint32_t)st->st_mtim.tv_nsec == entry->mtime_nsec &&
           (st->st_mode & 07777) == entry->mode;
}
