/* What a state consists of, as a list for TypeScript to look at. */
#include "cache.h"

#include <string.h>
#include <unistd.h>

/* Bytes collected before they are written. */
#define ENOUGH (1u << 20)

struct listing {
    struct cache cache;
    struct tree_path path;
    struct cache_list records;
    int outfd;
    struct ch_error *err;
};

static void free_listing(const struct listing *listing)
{
    cache_close(&listing->cache);
    tree_free_path(&listing->path);
    cache_free_list(&listing->records);
}

static int flush(struct listing *listing)
{
    struct cache_list *records = &listing->records;

    for (size_t done = 0; done < records->size;) {
        ssize_t got = write(listing->outfd, records->data + done, records->size - done);
        if (got < 0 && errno != EINTR)
            return CH_FAIL(listing->err, "write", "%s", "");
        done += got < 0 ? 0 : (size_t)got;
    }
    records->size = 0;
    return 0;
}

/* ENTRY once more, with where it is in the place of its name. */
static int add_record(struct listing *listing, const struct cache_entry *entry)
{
    const char *path = listing->path.text;

    if (listing->path.length > UINT16_MAX)
        return CH_FAIL_WITH(listing->err, ENAMETOOLONG, "list", "%s", path);
    struct cache_entry *record =
        cache_add(&listing->records, path, cache_text(entry), entry->text_length, NULL, 0);
    if (record == NULL)
        return CH_FAIL(listing->err, "malloc", "%s", path);
    record->type = entry->type;
    record->mode = entry->mode;
    record->mtime = entry->mtime;
    record->mtime_nsec = entry->mtime_nsec;
    record->size = entry->size;
    memcpy(record->digest, entry->digest, sizeof(record->digest));
    return listing->records.size < ENOUGH ? 0 : flush(listing);
}

static int list_entry(struct listing *listing, const struct cache_entry *entry)
{
    CACHE_LIST list = {0};
    const struct cache_entry *below;

    int result = add_record(listing, entry);
    if (result == 0 && entry->type == 'd')
        result = cache_read_list(&listing->cache, entry, &list, listing->err);
    for (size_t at = 0; result == 0 && (below = cache_next(&list, &at)) != NULL;) {
        size_t before = tree_path_push(&listing->path, cache_name(below));
        if (before == (size_t)-1)
            return CH_FAIL(listing->err, "malloc", "%s", cache_name(below));
        result = list_entry(listing, below);
        tree_path_cut(&listing->path, before);
    }
    return result;
}

int32_t ch_cache_list(int32_t cachefd, const char *state, int32_t outfd, struct ch_error *err)
{
    __attribute__((cleanup(free_listing))) struct listing listing = {
        .cache = {.objects = -1, .states = -1},
        .outfd = outfd,
        .err = err,
    };
    TREE_FREE struct cache_entry *root = NULL;

    if (tree_path_push(&listing.path, "") == (size_t)-1)
        return CH_FAIL(err, "malloc", "%s", "");
    int result = cache_open(&listing.cache, cachefd, err);
    if (result == 0)
        result = cache_read_root(&listing.cache, state, &root, err);
    if (result == 0)
        result = list_entry(&listing, root);
    return result == 0 ? flush(&listing) : result;
}
