/* See pool.h. */
#include "pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE (1u << 20)

struct pool_chunk {
    struct pool_chunk *next;
    size_t used;
    _Alignas(16) char bytes[CHUNK_SIZE];
};

void *pool_allocate(struct pool *pool, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    if (pool->chunk == NULL || size > CHUNK_SIZE - pool->chunk->used) {
        struct pool_chunk *chunk = malloc(sizeof(*chunk));
        if (chunk == NULL || size > CHUNK_SIZE) {
            free(chunk);
            errno = ENOMEM;
            return NULL;
        }
        chunk->used = 0;
        chunk->next = pool->chunk;
        pool->chunk = chunk;
    }
    void *memory = pool->chunk->bytes + pool->chunk->used;
    pool->chunk->used += size;
    return memset(memory, 0, size);
}

void pool_free(struct pool *pool)
{
    while (pool->chunk != NULL) {
        struct pool_chunk *next = pool->chunk->next;
        free(pool->chunk);
        pool->chunk = next;
    }
}
