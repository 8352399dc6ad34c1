/* See key_map.h. Keys are hashes already. */
#include "key_map.h"

#include <string.h>

static struct key_slot *find_slot(const struct key_map *map, const uint8_t key[CACHE_KEY])
{
    uint64_t start;

    memcpy(&start, key, sizeof(start));
    size_t i = (size_t)start & (map->capacity - 1);
    while (map->slots[i].used && memcmp(map->slots[i].key, key, CACHE_KEY) != 0)
        i = (i + 1) & (map->capacity - 1);
    return &map->slots[i];
}

const struct key_slot *key_map_find(const struct key_map *map, const uint8_t key[CACHE_KEY])
{
    if (map->count == 0)
        return NULL;
    const struct key_slot *slot = find_slot(map, key);
    return slot->used ? slot : NULL;
}

static int grow(struct key_map *map)
{
    struct key_map grown = {.capacity = map->capacity == 0 ? 1024 : map->capacity * 2,
                            .count = map->count};

    grown.slots = calloc(grown.capacity, sizeof(*grown.slots));
    if (grown.slots == NULL)
        return -1;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].used)
            *find_slot(&grown, map->slots[i].key) = map->slots[i];
    free(map->slots);
    *map = grown;
    return 0;
}

int key_map_add(struct key_map *map, const uint8_t key[CACHE_KEY], const char *text)
{
    if (map->count * 2 >= map->capacity && grow(map) != 0)
        return -1;
    struct key_slot *slot = find_slot(map, key);
    if (slot->used)
        return 0;
    char *copy = text == NULL ? NULL : strdup(text);
    if (text != NULL && copy == NULL)
        return -1;
    slot->used = true;
    slot->text = copy;
    memcpy(slot->key, key, CACHE_KEY);
    map->count++;
    return 0;
}

void key_map_free(const struct key_map *map)
{
    for (size_t i = 0; i < map->capacity; i++)
        free(map->slots[i].text);
    free(map->slots);
}
