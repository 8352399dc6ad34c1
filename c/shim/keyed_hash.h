/* A fast hash with a secret key, to recognise data seen before in the same process. Two polynomials
 * over the integers modulo 2^61 - 1, evaluated at secret places: who does not know these finds data
 * of one size and one digest with a probability of 2^-90 or so, however hard he tries. So equal
 * digests need no comparison. A digest means nothing elsewhere, and goes nowhere. */
#ifndef CH_KEYED_HASH_H
#define CH_KEYED_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keyed_digest {
    uint64_t a, b;
};

struct keyed_hash {
    struct keyed_digest data, list; /* keys */
};

/* False: no randomness is to be had, see errno. */
bool keyed_hash_new(struct keyed_hash *hash);
struct keyed_digest keyed_hash_data(const struct keyed_hash *hash, const void *data, size_t size);
/* The digest of a list of digests and one more; that of an empty list is zero. */
struct keyed_digest keyed_hash_append(const struct keyed_hash *hash, struct keyed_digest list,
                                      struct keyed_digest next);

#endif
