/* The cache of decoded blocks: loads once, keeps what is held, reuses the rest
 * (c/squashfs/block_cache.c). */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../squashfs/block_cache.h"
#include "check.h"

#define LIMIT 8
#define KEYS 40
#define THREADS 8
#define ROUNDS 4000

static atomic_int loads;

static int load(void *context, struct sq_block *block, struct ch_error *err)
{
    (void)context;
    loads++;
    if (block->key % 13 == 5)
        return CH_FAIL_WITH(err, EIO, "load", "%llu", (unsigned long long)block->key);
    memcpy(block->data, &block->key, sizeof(block->key));
    block->size = sizeof(block->key);
    return 0;
}

static int load_slowly(void *context, struct sq_block *block, struct ch_error *err)
{
    usleep(50000);
    return load(context, block, err);
}

static bool holds(const struct sq_block *block, uint64_t key)
{
    return block->key == key && memcmp(block->data, &key, sizeof(key)) == 0;
}

static void test_reuse(void)
{
    struct sq_block_cache *cache = sq_block_cache_new(64, LIMIT);
    struct sq_block *held, *block;
    const uint8_t *data;

    sq_block_get(cache, 1000, load, NULL, &held, NULL);
    data = held->data;
    for (uint64_t key = 14; key < 18; key++)
        if (sq_block_get(cache, key * 2, load, NULL, &block, NULL) == 0)
            sq_block_put(cache, block);
    check(sq_block_known(cache, 28), "sq_block_known() of what was read lately");
    for (uint64_t key = 100; key < 113; key++)
        if (key % 13 != 5 && sq_block_get(cache, key, load, NULL, &block, NULL) == 0)
            sq_block_put(cache, block);
    check(!sq_block_known(cache, 28), "sq_block_known() forgets what was not used for longest");
    check(held->data == data && holds(held, 1000), "a held block stays");
    sq_block_put(cache, held);
    loads = 0;
    sq_block_get(cache, 1000, load, NULL, &held, NULL);
    sq_block_put(cache, held);
    check(loads == 0, "a block read before isn't loaded again");
    sq_block_cache_free(cache);
}

static void test_more_held_than_limit(void)
{
    struct sq_block_cache *cache = sq_block_cache_new(64, 2);
    struct sq_block *blocks[10];
    bool good = true;

    for (uint64_t i = 0; i < 10; i++)
        good &= sq_block_get(cache, 26 + i * 13, load, NULL, &blocks[i], NULL) == 0;
    for (uint64_t i = 0; i < 10; i++)
        good &= holds(blocks[i], 26 + i * 13);
    for (int i = 0; i < 10; i++)
        sq_block_put(cache, blocks[i]);
    check(good, "more blocks than the limit can be held");
    sq_block_cache_free(cache);
}

static void test_failure(void)
{
    struct sq_block_cache *cache = sq_block_cache_new(64, LIMIT);
    struct ch_error err = {0};
    struct sq_block *block;

    check(sq_block_get(cache, 5, load, NULL, &block, &err) == -EIO && strcmp(err.path, "5") == 0,
          "sq_block_get() returns the load's error");
    loads = 0;
    check(sq_block_get(cache, 5, load, NULL, &block, &err) == -EIO && loads == 1,
          "a failure isn't kept");
    sq_block_cache_free(cache);
}

static void *get_slowly(void *cache)
{
    struct sq_block *block;

    if (sq_block_get(cache, 3, load_slowly, NULL, &block, NULL) < 0)
        return NULL;
    sq_block_put(cache, block);
    return cache;
}

static void test_loads_once(void)
{
    struct sq_block_cache *cache = sq_block_cache_new(64, LIMIT);
    pthread_t threads[THREADS];
    void *result;
    bool good = true;

    loads = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, get_slowly, cache);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &result);
        good &= result != NULL;
    }
    check(good && loads == 1, "a block that many ask for is loaded once");
    sq_block_cache_free(cache);
}

static void *get_many(void *cache)
{
    unsigned seed = (unsigned)(uintptr_t)&seed;

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t key = (uint64_t)rand_r(&seed) % KEYS;
        struct sq_block *block;
        int result = sq_block_get(cache, key, load, NULL, &block, NULL);

        if (result < 0 ? key % 13 != 5 : !holds(block, key))
            return NULL;
        if (result == 0)
            sq_block_put(cache, block);
    }
    return cache;
}

static void test_threads(void)
{
    struct sq_block_cache *cache = sq_block_cache_new(64, LIMIT);
    pthread_t threads[THREADS];
    void *result;
    bool good = true;

    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, get_many, cache);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &result);
        good &= result != NULL;
    }
    check(good, "threads get the blocks they ask for");
    sq_block_cache_free(cache);
}

int main(void)
{
    test_reuse();
    test_more_held_than_limit();
    test_failure();
    test_loads_once();
    test_threads();
    return check_failures != 0;
}
