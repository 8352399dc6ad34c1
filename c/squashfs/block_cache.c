/* Hash table with chains, and a list of the blocks nobody holds in the order of their last use. One
 * lock: it is held for some ten instructions, against the tens of microseconds of a decompression.
 */
#include "block_cache.h"

#include <pthread.h>
#include <stdlib.h>

struct sq_block_cache {
    pthread_mutex_t lock;
    pthread_cond_t loaded;
    size_t capacity, limit, count;
    struct sq_block *free; /* buffers without content, linked by chain */
    struct sq_block *newest, *oldest;
    size_t mask;
    struct sq_block *buckets[];
};

static size_t hash(const struct sq_block_cache *cache, uint64_t key)
{
    return (size_t)((key * 0x9e3779b97f4a7c15u) >> 32) & cache->mask;
}

struct sq_block_cache *sq_block_cache_new(size_t capacity, size_t limit)
{
    size_t buckets = 16;
    struct sq_block_cache *cache;

    while (buckets < limit)
        buckets *= 2;
    cache = calloc(1, sizeof(*cache) + buckets * sizeof(cache->buckets[0]));
    if (cache == NULL)
        return NULL;
    cache->capacity = capacity;
    cache->limit = limit;
    cache->mask = buckets - 1;
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->loaded, NULL);
    return cache;
}

static void free_chain(struct sq_block *block)
{
    while (block != NULL) {
        struct sq_block *chain = block->chain;
        free(block->data);
        free(block);
        block = chain;
    }
}

void sq_block_cache_free(struct sq_block_cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i <= cache->mask; i++)
        free_chain(cache->buckets[i]);
    free_chain(cache->free);
    pthread_cond_destroy(&cache->loaded);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static struct sq_block *find(const struct sq_block_cache *cache, uint64_t key)
{
    struct sq_block *block = cache->buckets[hash(cache, key)];
    while (block != NULL && block->key != key)
        block = block->chain;
    return block;
}

static void unhash(struct sq_block_cache *cache, struct sq_block *block)
{
    struct sq_block **link = &cache->buckets[hash(cache, block->key)];
    while (*link != block)
        link = &(*link)->chain;
    *link = block->chain;
}

static void list_remove(struct sq_block_cache *cache, struct sq_block *block)
{
    *(block->newer ? &block->newer->older : &cache->newest) = block->older;
    *(block->older ? &block->older->newer : &cache->oldest) = block->newer;
    block->newer = block->older = NULL;
}

static void list_add(struct sq_block_cache *cache, struct sq_block *block)
{
    block->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = block;
    cache->newest = block;
}

static void hold(struct sq_block_cache *cache, struct sq_block *block)
{
    if (block->holders++ == 0)
        list_remove(cache, block);
}

static struct sq_block *new_block(size_t capacity)
{
    struct sq_block *block = calloc(1, sizeof(*block));
    if (block == NULL)
        return NULL;
    block->data = malloc(capacity);
    if (block->data == NULL) {
        free(block);
        return NULL;
    }
    return block;
}

/* A buffer to load into: a free one, a new one, or the one unused for longest. */
static struct sq_block *take_buffer(struct sq_block_cache *cache)
{
    struct sq_block *block = cache->free;

    if (block != NULL) {
        cache->free = block->chain;
        return block;
    }
    if (cache->count >= cache->limit && cache->oldest != NULL) {
        block = cache->oldest;
        list_remove(cache, block);
        unhash(cache, block);
        return block;
    }
    block = new_block(cache->capacity);
    if (block != NULL)
        cache->count++;
    return block;
}

static void release_buffer(struct sq_block_cache *cache, struct sq_block *block)
{
    block->chain = cache->free;
    cache->free = block;
}

/* Waits while another thread loads the block. If that one fails, the next in line tries itself, so
 * that each caller has its own error. */
static struct sq_block *find_loaded(struct sq_block_cache *cache, uint64_t key)
{
    struct sq_block *block;

    while ((block = find(cache, key)) != NULL && block->loading)
        pthread_cond_wait(&cache->loaded, &cache->lock);
    return block;
}

int sq_block_get(struct sq_block_cache *cache, uint64_t key, sq_block_load *load, void *context,
                 struct sq_block **out, struct ch_error *err)
{
    struct sq_block *block;
    int result;

    pthread_mutex_lock(&cache->lock);
    block = find_loaded(cache, key);
    if (block != NULL) {
        hold(cache, block);
        pthread_mutex_unlock(&cache->lock);
        *out = block;
        return 0;
    }
    block = take_buffer(cache);
    if (block == NULL) {
        pthread_mutex_unlock(&cache->lock);
        return CH_FAIL_WITH(err, ENOMEM, "malloc", "%zu", cache->capacity);
    }
    block->key = key;
    block->loading = true;
    block->holders = 1;
    block->chain = cache->buckets[hash(cache, key)];
    cache->buckets[hash(cache, key)] = block;
    pthread_mutex_unlock(&cache->lock);

    result = load(context, block, err);

    pthread_mutex_lock(&cache->lock);
    block->loading = false;
    if (result < 0) {
        unhash(cache, block);
        block->holders = 0;
        release_buffer(cache, block);
    }
    pthread_cond_broadcast(&cache->loaded);
    pthread_mutex_unlock(&cache->lock);
    *out = result < 0 ? NULL : block;
    return result < 0 ? result : 0;
}

void sq_block_put(struct sq_block_cache *cache, struct sq_block *block)
{
    pthread_mutex_lock(&cache->lock);
    if (--block->holders == 0)
        list_add(cache, block);
    pthread_mutex_unlock(&cache->lock);
}

bool sq_block_known(struct sq_block_cache *cache, uint64_t key)
{
    bool known;
    pthread_mutex_lock(&cache->lock);
    known = find(cache, key) != NULL;
    pthread_mutex_unlock(&cache->lock);
    return known;
}
