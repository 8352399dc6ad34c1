/* The tree of an image being written; see squashfs_tree.h. */
#include "squashfs_tree.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pool.h"
#include "squashfs_names.h"

#define NAME_LIMIT 255u
#define LINK_LIMIT 40
/* Directories within directories; squashfs_numbers.c recurses. */
#define DEPTH_LIMIT 4096u

struct squashfs_tree {
    struct pool pool;
    struct squashfs_names names;
    struct squashfs_node *root, *nodes, **nodes_end;
};

static struct squashfs_node *new_node(struct squashfs_tree *tree, uint32_t mode)
{
    struct squashfs_node *node = pool_allocate(&tree->pool, sizeof(*node));
    if (node == NULL)
        return NULL;
    node->mode = mode;
    node->xattr = SQUASHFS_NO_XATTR;
    *tree->nodes_end = node;
    tree->nodes_end = &node->next;
    return node;
}

struct squashfs_tree *squashfs_tree_new(void)
{
    struct squashfs_tree *tree = calloc(1, sizeof(*tree));
    if (tree == NULL)
        return NULL;
    tree->nodes_end = &tree->nodes;
    tree->root = new_node(tree, S_IFDIR | 0755);
    if (tree->root == NULL) {
        squashfs_tree_free(tree);
        return NULL;
    }
    tree->root->parent = tree->root;
    return tree;
}

void squashfs_tree_free(struct squashfs_tree *tree)
{
    if (tree == NULL)
        return;
    for (struct squashfs_node *node = tree->nodes; node != NULL; node = node->next) {
        free(node->inode);
        if (S_ISDIR(node->mode))
            free(node->sorted);
    }
    squashfs_names_free(&tree->names);
    pool_free(&tree->pool);
    free(tree);
}

struct squashfs_node *squashfs_tree_root(struct squashfs_tree *tree)
{
    return tree->root;
}

/* Puts NODE under the name, which may be there or not. */
static int place(struct squashfs_tree *tree, struct squashfs_node *directory, const char *text,
                 size_t length, struct squashfs_node *node, const char *path, struct ch_error *err)
{
    if (length > NAME_LIMIT || directory->depth >= DEPTH_LIMIT)
        return CH_FAIL_WITH(err, ENAMETOOLONG, "squashfs add", "%s", path);
    struct squashfs_name *name = squashfs_names_find(&tree->names, directory, text, length);
    if (name == NULL)
        name = squashfs_names_add(&tree->names, &tree->pool, directory, text, length);
    else if (S_ISDIR(name->node->mode) && name->node->names != NULL)
        return CH_FAIL_WITH(err, ENOTEMPTY, "squashfs add", "%s", path);
    if (name == NULL)
        return CH_FAIL_WITH(err, ENOMEM, "squashfs add", "%s", path);
    name->node = node;
    if (S_ISDIR(node->mode)) {
        node->parent = directory;
        node->depth = directory->depth + 1;
    }
    return 0;
}

static int make_parent(struct squashfs_tree *tree, struct squashfs_node *directory,
                       const char *text, size_t length, struct squashfs_node **made,
                       const char *path, struct ch_error *err)
{
    *made = new_node(tree, S_IFDIR | 0755);
    if (*made == NULL)
        return CH_FAIL(err, "malloc", "%s", path);
    return place(tree, directory, text, length, *made, path, err);
}

/* The directory that LENGTH bytes of PART name, beginning at *DIRECTORY. Links are followed within
 * the image; what is missing is made. PATH is for messages. */
static int walk(struct squashfs_tree *tree, struct squashfs_node **directory, const char *part,
                size_t length, int links, const char *path, struct ch_error *err)
{
    const char *end = part + length;
    if (part < end && *part == '/')
        *directory = tree->root;
    while (part < end) {
        const char *slash = memchr(part, '/', (size_t)(end - part));
        size_t n = slash ? (size_t)(slash - part) : (size_t)(end - part);
        const char *text = part;
        part += n + (slash != NULL);
        if (n == 0 || (n == 1 && text[0] == '.'))
            continue;
        if (n == 2 && text[0] == '.' && text[1] == '.') {
            *directory = (*directory)->parent;
            continue;
        }
        struct squashfs_name *name = squashfs_names_find(&tree->names, *directory, text, n);
        if (name == NULL) {
            int result = make_parent(tree, *directory, text, n, directory, path, err);
            if (result < 0)
                return result;
        } else if (S_ISDIR(name->node->mode)) {
            *directory = name->node;
        } else if (!S_ISLNK(name->node->mode)) {
            return CH_FAIL_WITH(err, ENOTDIR, "squashfs add", "%s", path);
        } else {
            if (links == 0)
                return CH_FAIL_WITH(err, ELOOP, "squashfs add", "%s", path);
            const char *target = name->node->target;
            int result = walk(tree, directory, target, strlen(target), --links, path, err);
            if (result < 0)
                return result;
        }
    }
    return 0;
}

/* The directory that holds PATH, and its last component. */
static int find_parent(struct squashfs_tree *tree, const char *path,
                       struct squashfs_node **directory, const char **last, struct ch_error *err)
{
    const char *slash = strrchr(path, '/');
    *last = slash ? slash + 1 : path;
    *directory = tree->root;
    if (**last == '\0' || strcmp(*last, ".") == 0 || strcmp(*last, "..") == 0)
        return CH_FAIL_WITH(err, EINVAL, "squashfs add", "%s", path);
    return walk(tree, directory, path, (size_t)(*last - path), LINK_LIMIT, path, err);
}

int squashfs_tree_add(struct squashfs_tree *tree, const char *path,
                      const struct ch_squashfs_entry *entry, const char *target,
                      struct squashfs_node **result, struct ch_error *err)
{
    struct squashfs_node *directory = NULL, *node = NULL;
    const char *last = NULL;
    int code = 0;

    if (path[0] == '\0') {
        if (!S_ISDIR(entry->type))
            return CH_FAIL_WITH(err, ENOTDIR, "squashfs add", "%s", "/");
        node = tree->root;
    } else {
        code = find_parent(tree, path, &directory, &last, err);
        if (code < 0)
            return code;
        struct squashfs_name *name =
            squashfs_names_find(&tree->names, directory, last, strlen(last));
        if (S_ISDIR(entry->type) && name != NULL && S_ISDIR(name->node->mode))
            node = name->node;
    }
    if (node == NULL) {
        node = new_node(tree, entry->type);
        if (node == NULL)
            return CH_FAIL(err, "malloc", "%s", path);
        code = place(tree, directory, last, strlen(last), node, path, err);
        if (code < 0)
            return code;
    }
    if (S_ISLNK(entry->type)) {
        size_t size = strlen(target) + 1;
        char *copy = pool_allocate(&tree->pool, size);
        if (copy == NULL)
            return CH_FAIL(err, "malloc", "%s", path);
        node->target = memcpy(copy, target, size);
    } else if (S_ISCHR(entry->type) || S_ISBLK(entry->type)) {
        node->major = entry->major;
        node->minor = entry->minor;
    }
    node->mode = entry->type | entry->mode;
    node->uid = entry->uid;
    node->gid = entry->gid;
    /* The format's times are of 32 bits without sign. */
    node->time = entry->time < 0            ? 0
                 : entry->time > UINT32_MAX ? UINT32_MAX
                                            : (uint32_t)entry->time;
    node->xattr = SQUASHFS_NO_XATTR;
    *result = node;
    return 0;
}

int squashfs_tree_link(struct squashfs_tree *tree, const char *path, const char *target,
                       struct ch_error *err)
{
    struct squashfs_node *directory;
    const char *last;
    int code = find_parent(tree, target, &directory, &last, err);
    if (code < 0)
        return code;
    struct squashfs_name *original =
        squashfs_names_find(&tree->names, directory, last, strlen(last));
    if (original == NULL)
        return CH_FAIL_WITH(err, ENOENT, "squashfs link", "%s -> %s", path, target);
    if (S_ISDIR(original->node->mode))
        return CH_FAIL_WITH(err, EPERM, "squashfs link", "%s -> %s", path, target);
    struct squashfs_node *node = original->node;
    code = find_parent(tree, path, &directory, &last, err);
    if (code < 0)
        return code;
    return place(tree, directory, last, strlen(last), node, path, err);
}
