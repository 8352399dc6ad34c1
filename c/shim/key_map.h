/* Keys of objects, with a text each or none. Open addressing, grown at half full. */
#ifndef CH_KEY_MAP_H
#define CH_KEY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache.h"

struct key_map {
    struct key_slot {
        uint8_t key[CACHE_KEY];
        char *text;
        bool used;
    } * slots;
    size_t capacity;
    size_t count;
};

/* NULL if it is not in it, or the map is empty. */
const struct key_slot *key_map_find(const struct key_map *map, const uint8_t key[CACHE_KEY]);
/* Adds a key that may be there, then the text stays. TEXT, which may be NULL, is copied. -1 if out
 * of memory. */
int key_map_add(struct key_map *map, const uint8_t key[CACHE_KEY], const char *text);
void key_map_free(const struct key_map *map);

#endif
