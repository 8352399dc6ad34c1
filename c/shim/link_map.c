/* See link_map.h. */
#include "link_map.h"

#include <stdlib.h>
#include <string.h>

static struct link_slot *find_slot(const struct link_map *map, dev_t dev, ino_t ino)
{
    size_t i = (size_t)((ino ^ (dev << 20)) * 0x9e3779b97f4a7c15u) & (map->capacity - 1);

    while (map->slots[i].path != NULL && (map->slots[i].dev != dev || map->slots[i].ino != ino))
        i = (i + 1) & (map->capacity - 1);
    return &map->slots[i];
}

static int grow(struct link_map *map)
{
    struct link_map grown = {.capacity = map->capacity == 0 ? 64 : map->capacity * 2,
                             .count = map->count};

    grown.slots = calloc(grown.capacity, sizeof(*grown.slots));
    if (grown.slots == NULL)
        return -1;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].path != NULL)
            *find_slot(&grown, map->slots[i].dev, map->slots[i].ino) = map->slots[i];
    free(map->slots);
    *map = grown;
    return 0;
}

struct link_slot *link_map_find(struct link_map *map, dev_t dev, ino_t ino)
{
    if (map->count * 2 >= map->capacity && grow(map) != 0)
        return NULL;
    return find_slot(map, dev, ino);
}

int link_map_set(struct link_map *map, struct link_slot *slot, dev_t dev, ino_t ino,
                 const char *path)
{
    char *copy = strdup(path);

    if (copy == NULL)
        return -1;
    if (slot->path == NULL)
        map->count++;
    free(slot->path);
    *slot = (struct link_slot){dev, ino, copy};
    return 0;
}

void link_map_free(const struct link_map *map)
{
    for (size_t i = 0; i < map->capacity; i++)
        free(map->slots[i].path);
    free(map->slots);
}
