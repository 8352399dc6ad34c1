/* The tree of an image being written; see squashfs_tree.h. */
#include "squashfs_tree.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define POOL_SIZE (1u << 20)
#define NAME_LIMIT 255u
#define LINK_LIMIT 40
/* Directories within directories; the numbering below recurses. */
#define DEPTH_LIMIT 4096u

/* Names and nodes live as long as the tree: no need to allocate them one by one. */
struct pool {
    struct pool *next;
    size_t used;
    _Alignas(16) char bytes[POOL_SIZE];
};

struct squashfs_tree {
    struct pool *pool;
    struct squashfs_node *root, *nodes, **nodes_end;
    struct squashfs_name **hash;
    size_t hash_size, name_count;
};

static void *allocate(struct squashfs_tree *tree, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    if (tree->pool == NULL || size > POOL_SIZE - tree->pool->used) {
        struct pool *pool = malloc(sizeof(*pool));
        if (pool == NULL || size > POOL_SIZE) {
            free(pool);
            errno = ENOMEM;
            return NULL;
        }
        pool->used = 0;
        pool->next = tree->pool;
        tree->pool = pool;
    }
    void *memory = tree->pool->bytes + tree->pool->used;
    tree->pool->used += size;
    return memset(memory, 0, size);
}

static struct squashfs_node *new_node(struct squashfs_tree *tree, uint32_t mode)
{
    struct squashfs_node *node = allocate(tree, sizeof(*node));
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
    tree->hash_size = 1024;
    tree->hash = calloc(tree->hash_size, sizeof(*tree->hash));
    if (tree->hash != NULL)
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
    while (tree->pool != NULL) {
        struct pool *next = tree->pool->next;
        free(tree->pool);
        tree->pool = next;
    }
    free(tree->hash);
    free(tree);
}

struct squashfs_node *squashfs_tree_root(struct squashfs_tree *tree)
{
    return tree->root;
}

/* ---- Names ---- */

static size_t hash_name(const struct squashfs_node *directory, const char *text, size_t length)
{
    uint64_t h = 0xcbf29ce484222325ull ^ ((uintptr_t)directory >> 4);
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001b3ull;
    return (size_t)(h ^ h >> 32);
}

static struct squashfs_name *find_name(const struct squashfs_tree *tree,
                                       const struct squashfs_node *directory, const char *text,
                                       size_t length)
{
    struct squashfs_name *name =
        tree->hash[hash_name(directory, text, length) & (tree->hash_size - 1)];
    while (name != NULL && (name->directory != directory ||
                            strncmp(name->text, text, length) != 0 || name->text[length] != '\0'))
        name = name->collision;
    return name;
}

static bool grow_hash(struct squashfs_tree *tree)
{
    size_t size = tree->hash_size * 2;
    struct squashfs_name **hash = calloc(size, sizeof(*hash));
    if (hash == NULL)
        return false;
    for (size_t i = 0; i < tree->hash_size; i++) {
        struct squashfs_name *next;
        for (struct squashfs_name *name = tree->hash[i]; name != NULL; name = next) {
            size_t slot = hash_name(name->directory, name->text, strlen(name->text)) & (size - 1);
            next = name->collision;
            name->collision = hash[slot];
            hash[slot] = name;
        }
    }
    free(tree->hash);
    tree->hash = hash;
    tree->hash_size = size;
    return true;
}

static struct squashfs_name *add_name(struct squashfs_tree *tree, struct squashfs_node *directory,
                                      const char *text, size_t length)
{
    if (tree->name_count >= tree->hash_size && !grow_hash(tree))
        return NULL;
    struct squashfs_name *name = allocate(tree, sizeof(*name) + length + 1);
    if (name == NULL)
        return NULL;
    size_t slot = hash_name(directory, text, length) & (tree->hash_size - 1);
    memcpy(name->text, text, length);
    name->directory = directory;
    name->next = directory->names;
    directory->names = name;
    directory->child_count++;
    name->collision = tree->hash[slot];
    tree->hash[slot] = name;
    tree->name_count++;
    return name;
}

/* ---- Paths ---- */

/* Puts NODE under the name, which may be there or not. */
static int place(struct squashfs_tree *tree, struct squashfs_node *directory, const char *text,
                 size_t length, struct squashfs_node *node, const char *path, struct ch_error *err)
{
    if (length > NAME_LIMIT || directory->depth >= DEPTH_LIMIT)
        return CH_FAIL_WITH(err, ENAMETOOLONG, "squashfs add", "%s", path);
    struct squashfs_name *name = find_name(tree, directory, text, length);
    if (name == NULL)
        name = add_name(tree, directory, text, length);
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
        struct squashfs_name *name = find_name(tree, *directory, text, n);
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
        struct squashfs_name *name = find_name(tree, directory, last, strlen(last));
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
        char *copy = allocate(tree, size);
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
    struct squashfs_name *original = find_name(tree, directory, last, strlen(last));
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

/* ---- Numbers ---- */

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
    if (!number_directory(tree->root, &number))
        return 0;
    tree->root->number = ++number;
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
    uint32_t number = 0;
    int code = visit_directory(tree->root, &number, visit, context);
    return code != 0 ? code : visit(tree->root, context);
}
