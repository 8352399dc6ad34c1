/* See keyed_hash.h. */
#include "keyed_hash.h"

#include <string.h>
#include <sys/random.h>

#define PRIME ((UINT64_C(1) << 61) - 1)
#define WORD 7 /* bytes: so that each is less than PRIME */
#define WORD_MASK ((UINT64_C(1) << 56) - 1)

__extension__ typedef unsigned __int128 uint128;

/* X * KEY + ADDED, not quite reduced: less than 2^62. X is less than 2^62, KEY than 2^61. */
static uint64_t step(uint64_t x, uint64_t key, uint64_t added)
{
    uint128 product = (uint128)x * key + added;
    return ((uint64_t)product & PRIME) + (uint64_t)(product >> 61 & PRIME) +
           (uint64_t)(product >> 122);
}

static uint64_t reduce(uint64_t x)
{
    x = (x & PRIME) + (x >> 61);
    return x >= PRIME ? x - PRIME : x;
}

bool keyed_hash_new(struct keyed_hash *hash)
{
    uint64_t *keys[] = {&hash->data.a, &hash->data.b, &hash->list.a, &hash->list.b};

    if (getrandom(hash, sizeof(*hash), 0) != (ssize_t)sizeof(*hash))
        return false;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        *keys[i] &= PRIME;
    return true;
}

struct keyed_digest keyed_hash_data(const struct keyed_hash *hash, const void *data, size_t size)
{
    const uint8_t *at = data;
    uint64_t a = 0, b = 0, word;

    for (; size > WORD; at += WORD, size -= WORD) {
        memcpy(&word, at, sizeof(word));
        word &= WORD_MASK;
        a = step(a, hash->data.a, word);
        b = step(b, hash->data.b, word);
    }
    word = 0;
    memcpy(&word, at, size);
    a = step(a, hash->data.a, word);
    b = step(b, hash->data.b, word);
    /* Once more, so that the last word counts like the others. */
    return (struct keyed_digest){reduce(step(a, hash->data.a, 0)),
                                 reduce(step(b, hash->data.b, 0))};
}

struct keyed_digest keyed_hash_append(const struct keyed_hash *hash, struct keyed_digest list,
                                      struct keyed_digest next)
{
    return (struct keyed_digest){reduce(step(list.a, hash->list.a, next.a)),
                                 reduce(step(list.b, hash->list.b, next.b))};
}
