/* Memory for many small things that are freed together. */
#ifndef CH_POOL_H
#define CH_POOL_H

#include <stddef.h>

/* All zero at first. */
struct pool {
    struct pool_chunk *chunk;
};

/* SIZE bytes of zeros, aligned for anything that holds pointers and integers; at most 1 MiB. NULL
 * with errno if there is no memory. */
void *pool_allocate(struct pool *pool, size_t size);
void pool_free(struct pool *pool);

#endif
