/* Finds data that was there before: places by digest and size. */
#ifndef CH_KNOWN_DATA_H
#define CH_KNOWN_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyed_hash.h"

struct known_data {
    struct known_place {
        struct keyed_digest digest;
        uint64_t size, place; /* size 0: free */
    } * slots;
    size_t capacity, count;
};

/* True: it is at *PLACE. */
bool known_data_find(const struct known_data *map, struct keyed_digest digest, uint64_t size,
                     uint64_t *place);
/* SIZE is not 0. Data for which there is no memory will not be found. */
void known_data_add(struct known_data *map, struct keyed_digest digest, uint64_t size,
                    uint64_t place);
void known_data_free(struct known_data *map);

#endif
