/* The order of inodes in an image being written, and their numbers; see squashfs_tree.h. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "squashfs_tree.h"

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(struct squashfs_name *const *)a)->text,
                  (*(struct squashfs_name *const *)b)->text);
}

static bool sort_directory(struct squashfs_node *directory)
{
    uint32_t at = 0;
    directory->sorted = malloc((directory->child_count + 1) * sizeof(*directory->sorted));
    if (directory->sorted == NULL)
        return false;
    for (struct squashfs_name *name = directory->names; name != NULL; name = name->next)
        directory->sorted[at++] = name;
    qsort(directory->sorted, directory->child_count, sizeof(*directory->sorted), compare_names);
    return true;
}

/* Inodes of one directory follow one another, so that its entries need few headers; what is in a
 * directory comes before the directory, which refers to it. */
static bool number_directory(struct squashfs_node *directory, uint32_t *number)
{
    if (!sort_directory(directory))
        return false;
    directory->links = 2;
    for (uint32_t i = 0; i < directory->child_count; i++) {
        struct squashfs_node *child = directory->sorted[i]->node;
        if (!S_ISDIR(child->mode)) {
            child->links++;
            continue;
        }
        directory->links++;
        if (!number_directory(child, number))
            return false;
    }
    for (uint32_t i = 0; i < directory->child_count; i++) {
        struct squashfs_node *child = directory->sorted[i]->node;
        if (child->number == 0)
            child->number = ++*number;
    }
    return true;
}

uint32_t squashfs_tree_number(struct squashfs_tree *tree)
{
    uint32_t number = 0;
    if (!number_directory(squashfs_tree_root(tree), &number))
        return 0;
    squashfs_tree_root(tree)->number = ++number;
    return number;
}

static int visit_directory(struct squashfs_node *directory, uint32_t *number,
                           int (*visit)(struct squashfs_node *, void *), void *context)
{
    for (uint32_t i = 0; i < directory->child_count; i++) {
        struct squashfs_node *child = directory->sorted[i]->node;
        if (!S_ISDIR(child->mode))
            continue;
        int code = visit_directory(child, number, visit, context);
        if (code != 0)
            return code;
    }
    for (uint32_t i = 0; i < directory->child_count; i++) {
        struct squashfs_node *child = directory->sorted[i]->node;
        /* A further name of a file met before has a smaller number. */
        if (child->number != *number + 1)
            continue;
        int code = visit(child, context);
        if (code != 0)
            return code;
        ++*number;
    }
    return 0;
}

int squashfs_tree_visit(struct squashfs_tree *tree, int (*visit)(struct squashfs_node *, void *),
                        void *context)
{
    struct squashfs_node *root = squashfs_tree_root(tree);
    uint32_t number = 0;
    int code = visit_directory(root, &number, visit, context);
    return code != 0 ? code : visit(root, context);
}
