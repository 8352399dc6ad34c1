/* See squashfs_names.h. */
#include "squashfs_names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 1024u

static size_t hash_name(const struct squashfs_node *directory, const char *text, size_t length)
{
    uint64_t h = 0xcbf29ce484222325ull ^ ((uintptr_t)directory >> 4);
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001b3ull;
    return (size_t)(h ^ h >> 32);
}

struct squashfs_name *squashfs_names_find(const struct squashfs_names *names,
                                          const struct squashfs_node *directory, const char *text,
                                          size_t length)
{
    if (names->slot_count == 0)
        return NULL;
    struct squashfs_name *name =
        names->slots[hash_name(directory, text, length) & (names->slot_count - 1)];
    while (name != NULL && (name->directory != directory ||
                            strncmp(name->text, text, length) != 0 || name->text[length] != '\0'))
        name = name->collision;
    return name;
}

static bool grow(struct squashfs_names *names)
{
    size_t size = names->slot_count == 0 ? SLOTS_MIN : names->slot_count * 2;
    struct squashfs_name **slots = calloc(size, sizeof(*slots));
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < names->slot_count; i++) {
        struct squashfs_name *next;
        for (struct squashfs_name *name = names->slots[i]; name != NULL; name = next) {
            size_t slot = hash_name(name->directory, name->text, strlen(name->text)) & (size - 1);
            next = name->collision;
            name->collision = slots[slot];
            slots[slot] = name;
        }
    }
    free(names->slots);
    names->slots = slots;
    names->slot_count = size;
    return true;
}

struct squashfs_name *squashfs_names_add(struct squashfs_names *names, struct pool *pool,
                                         struct squashfs_node *directory, const char *text,
                                         size_t length)
{
    if (names->count >= names->slot_count && !grow(names))
        return NULL;
    struct squashfs_name *name = pool_allocate(pool, sizeof(*name) + length + 1);
    if (name == NULL)
        return NULL;
    size_t slot = hash_name(directory, text, length) & (names->slot_count - 1);
    memcpy(name->text, text, length);
    name->directory = directory;
    name->next = directory->names;
    directory->names = name;
    directory->child_count++;
    name->collision = names->slots[slot];
    names->slots[slot] = name;
    names->count++;
    return name;
}

void squashfs_names_free(struct squashfs_names *names)
{
    free(names->slots);
}
