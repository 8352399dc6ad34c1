/* Finds data that was there before: places by digest and size. A digest proves nothing, so whoever
 * asks compares. */
#ifndef CH_KNOWN_DATA_H
#define CH_KNOWN_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct known_data {
    struct known_place {
        uint64_t digest, size, place; /* size 0: free */
    } * slots;
    size_t capacity, count;
};

/* Whether the data at PLACE is what is sought. */
typedef bool known_data_same(void *context, uint64_t place);

/* True: it is at *PLACE. Few candidates are compared, as more than one comes about by malice only.
 */
bool known_data_find(const struct known_data *map, uint64_t digest, uint64_t size,
                     known_data_same *same, void *context, uint64_t *place);
/* SIZE is not 0. Data for which there is no memory will not be found. */
void known_data_add(struct known_data *map, uint64_t digest, uint64_t size, uint64_t place);
void known_data_free(struct known_data *map);

#endif
