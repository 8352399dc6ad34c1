/* A bounded cache of decoded blocks, shared by threads. A block is loaded once however many ask for
 * it at a time; while somebody holds it, it stays. Buffers are reused, never returned: a cache in
 * use allocates nothing. */
#ifndef SQ_BLOCK_CACHE_H
#define SQ_BLOCK_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct sq_block {
    uint64_t key;  /* place on disk */
    uint64_t next; /* place behind it on disk */
    uint32_t size; /* decoded */
    uint8_t *data;

    /* The cache's own, below its lock. */
    bool loading;
    uint32_t holders;
    struct sq_block *chain;
    struct sq_block *newer, *older; /* among those nobody holds */
};

struct sq_block_cache;

/* Fills block->data, size and next; called without the lock. */
typedef int sq_block_load(void *context, struct sq_block *block, struct ch_error *err);

/* LIMIT blocks of CAPACITY bytes. More exist only while more are held at a time. */
struct sq_block_cache *sq_block_cache_new(size_t capacity, size_t limit);
void sq_block_cache_free(struct sq_block_cache *cache);
int sq_block_get(struct sq_block_cache *cache, uint64_t key, sq_block_load *load, void *context,
                 struct sq_block **out, struct ch_error *err);
void sq_block_put(struct sq_block_cache *cache, struct sq_block *block);
bool sq_block_known(struct sq_block_cache *cache, uint64_t key);

#endif
