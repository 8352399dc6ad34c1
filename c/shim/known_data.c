/* See known_data.h. Open addressing, grown at half full. */
#include "known_data.h"

#include <stdlib.h>

#define CANDIDATES_MAX 4

static size_t first_slot(const struct known_data *map, uint64_t digest)
{
    return (size_t)(digest * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (map->capacity - 1);
}

bool known_data_find(const struct known_data *map, uint64_t digest, uint64_t size,
                     known_data_same *same, void *context, uint64_t *place)
{
    unsigned compared = 0;

    if (map->capacity == 0)
        return false;
    for (size_t i = first_slot(map, digest); map->slots[i].size != 0;
         i = (i + 1) & (map->capacity - 1)) {
        const struct known_place *slot = &map->slots[i];
        if (slot->digest != digest || slot->size != size)
            continue;
        *place = slot->place;
        if (same(context, slot->place))
            return true;
        if (++compared == CANDIDATES_MAX)
            return false;
    }
    return false;
}

static void insert(struct known_data *map, const struct known_place *added)
{
    size_t i = first_slot(map, added->digest);

    while (map->slots[i].size != 0)
        i = (i + 1) & (map->capacity - 1);
    map->slots[i] = *added;
}

static bool grow(struct known_data *map)
{
    struct known_data grown = {.capacity = map->capacity == 0 ? 1024 : map->capacity * 2,
                               .count = map->count};

    grown.slots = calloc(grown.capacity, sizeof(*grown.slots));
    if (grown.slots == NULL)
        return false;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].size != 0)
            insert(&grown, &map->slots[i]);
    free(map->slots);
    *map = grown;
    return true;
}

void known_data_add(struct known_data *map, uint64_t digest, uint64_t size, uint64_t place)
{
    if (map->count * 2 >= map->capacity && !grow(map))
        return;
    insert(map, &(struct known_place){digest, size, place});
    map->count++;
}

void known_data_free(struct known_data *map)
{
    free(map->slots);
    *map = (struct known_data){NULL, 0, 0};
}
