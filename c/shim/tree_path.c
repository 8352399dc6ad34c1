/* The path of where a walk through a tree is. */
#include "tree.h"

#include <string.h>

size_t tree_path_push(struct tree_path *path, const char *name)
{
    size_t before = path->length, added = strlen(name);
    size_t needed = before + 1 + added + 1;

    if (needed > path->capacity) {
        size_t capacity = needed < 256 ? 256 : needed * 2;
        char *grown = realloc(path->text, capacity);
        if (grown == NULL)
            return (size_t)-1;
        path->text = grown;
        path->capacity = capacity;
    }
    if (before > 0)
        path->text[path->length++] = '/';
    memcpy(path->text + path->length, name, added + 1);
    path->length += added;
    return before;
}

void tree_path_cut(struct tree_path *path, size_t length)
{
    path->length = length;
    if (path->text != NULL)
        path->text[length] = '\0';
}
