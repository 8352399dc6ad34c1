/* Files with several names: where the first one is. Open addressing, grown at half full. */
#ifndef CH_LINK_MAP_H
#define CH_LINK_MAP_H

#include <stddef.h>
#include <sys/types.h>

struct link_map {
    struct link_slot {
        dev_t dev;
        ino_t ino;
        char *path; /* NULL: free */
    } * slots;
    size_t capacity;
    size_t count;
};

/* The slot of a file, a free one if it is new; NULL if out of memory. Room for one more is there.
 */
struct link_slot *link_map_find(struct link_map *map, dev_t dev, ino_t ino);
/* Notes PATH as the file's, in place of what SLOT had. -1 if out of memory. */
int link_map_set(struct link_map *map, struct link_slot *slot, dev_t dev, ino_t ino,
                 const char *path);
void link_map_free(const struct link_map *map);

#endif
