/* Path resolution as in a chroot: nothing leads out of the image. */
#include "image.h"

#define LINKS_MAX 40   /* as Linux */
#define DEPTH_MAX 2048 /* components of a path of 4096 bytes */
#define REST_MAX (2 * 4096)

struct resolver {
    struct sq *image;
    unsigned depth, links;
    uint64_t parents[DEPTH_MAX]; /* inode references from the root down, without the current one */
    char rest[REST_MAX];         /* what is still to be walked */
};

/* Cuts the first component off. Length 0: none is left. */
static size_t next_component(const char **path, const char **component)
{
    size_t length;

    *path += strspn(*path, "/");
    *component = *path;
    length = strcspn(*path, "/");
    *path += length;
    return length;
}

/* Replaces the rest of the path by the link's target followed by it. */
static int follow(struct resolver *state, struct sq_inode *here, const struct sq_inode *link,
                  const char *rest, struct ch_error *err)
{
    char target[SQ_SYMLINK_MAX + 1];
    size_t length = strlen(rest);
    int result = sq_readlink(state->image, link, target, err);

    if (result < 0)
        return result;
    if (++state->links > LINKS_MAX)
        return CH_FAIL_WITH(err, ELOOP, "resolve", "%s", target);
    if (link->size + 1 + length >= REST_MAX)
        return CH_FAIL_WITH(err, ENAMETOOLONG, "resolve", "%s", target);
    memmove(state->rest + link->size + 1, rest, length + 1);
    memcpy(state->rest, target, link->size);
    state->rest[link->size] = '/';
    if (target[0] != '/')
        return 0;
    state->depth = 0;
    return sq_inode_read(state->image, state->image->info.root, here, err);
}

static int step_up(struct resolver *state, struct sq_inode *here, struct ch_error *err)
{
    uint64_t root = state->image->info.root;
    return sq_inode_read(state->image, state->depth > 0 ? state->parents[--state->depth] : root,
                         here, err);
}

static int step_down(struct resolver *state, struct sq_inode *here, const struct sq_inode *next,
                     struct ch_error *err)
{
    if (state->depth == DEPTH_MAX)
        return CH_FAIL_WITH(err, ENAMETOOLONG, "resolve", "inode %u", next->number);
    state->parents[state->depth++] = here->ref;
    *here = *next;
    return 0;
}

/* From *HERE by one component; what follows it is at *REST. 1 if that is somewhere, 0 if not. */
static int step(struct resolver *state, struct sq_inode *here, const char *name, size_t length,
                const char **rest, struct ch_error *err)
{
    struct sq_inode next;
    uint64_t ref;
    int result;

    if (here->type != SQ_DIRECTORY)
        return 0;
    if (length == 1 && name[0] == '.')
        return 1;
    if (length == 2 && name[0] == '.' && name[1] == '.')
        return (result = step_up(state, here, err)) < 0 ? result : 1;
    if ((result = sq_lookup(state->image, here, name, length, &ref, err)) <= 0 ||
        (result = sq_inode_read(state->image, ref, &next, err)) < 0)
        return result;
    if (next.type == SQ_SYMLINK) {
        result = follow(state, here, &next, *rest, err);
        *rest = state->rest;
    } else {
        result = step_down(state, here, &next, err);
    }
    return result < 0 ? result : 1;
}

int sq_resolve(struct sq *image, const char *path, struct sq_inode *out, struct ch_error *err)
{
    struct resolver state;
    const char *rest = state.rest, *name;
    size_t length;
    int result;

    state.image = image;
    state.depth = state.links = 0;
    if (strlen(path) >= REST_MAX)
        return CH_FAIL_WITH(err, ENAMETOOLONG, "resolve", "%s", path);
    strcpy(state.rest, path);
    if ((result = sq_inode_read(image, image->info.root, out, err)) < 0)
        return result;
    while ((length = next_component(&rest, &name)) > 0)
        if ((result = step(&state, out, name, length, &rest, err)) <= 0)
            return result;
    return 1;
}
