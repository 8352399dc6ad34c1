/* Where a path leads in an image, seen from inside: links are followed as for a process whose root
 * the image is. By hand, because RESOLVE_IN_ROOT is younger than the kernels we support and says
 * nothing of the canonical path. Safe against a changing tree: the walk holds descriptors, and who
 * uses the canonical path opens it without following links. */
#include "tree.h"

#include <limits.h>
#include <string.h>

#define FOLLOW_LAST 1u
#define MISSING_OK 2u
#define MAX_LINKS 40 /* as the kernel has it */

struct resolution {
    int rootfd;
    int fd; /* directory that the canonical path so far names; -1 below what is missing */
    struct tree_path canonical;
    size_t present; /* length of the part of CANONICAL that exists */
    unsigned links;
    char *rest; /* what is still to be walked */
};

static void free_resolution(const struct resolution *r)
{
    tree_close_fd(&r->fd);
    free(r->canonical.text);
    free(r->rest);
}

static int go_to(struct resolution *r, int fd)
{
    tree_close_fd(&r->fd);
    r->fd = fd;
    return fd < 0 ? -1 : 0;
}

/* ".." of the root is the root. */
static int go_up(struct resolution *r)
{
    const char *text = r->canonical.length > 0 ? r->canonical.text : "";
    const char *slash = strrchr(text, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - text);

    tree_path_cut(&r->canonical, length);
    if (length > r->present)
        return 0;
    r->present = length;
    return go_to(r, tree_open_beneath(r->rootfd, length > 0 ? r->canonical.text : "",
                                      TREE_LOOK | O_DIRECTORY));
}

static int follow(struct resolution *r, const char *name, const char *after)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(r->fd, name, target, sizeof(target) - 1);

    if (length < 0)
        return -1;
    if (++r->links > MAX_LINKS || length == 0) {
        errno = length == 0 ? ENOENT : ELOOP;
        return -1;
    }
    target[length] = '\0';
    size_t after_length = strlen(after);
    char *rest = malloc((size_t)length + 1 + after_length + 1);
    if (rest == NULL)
        return -1;
    memcpy(rest, target, (size_t)length);
    rest[length] = '/';
    memcpy(rest + length + 1, after, after_length + 1);
    if (after_length == 0)
        rest[length] = '\0'; /* no slash that was not there: it would ask for a directory */
    free(r->rest);
    r->rest = rest;
    if (target[0] != '/')
        return 0;
    tree_path_cut(&r->canonical, 0);
    r->present = 0;
    return go_to(r, openat(r->rootfd, ".", TREE_LOOK | O_DIRECTORY));
}

/* One component, NAME; AFTER is what follows it, "" or beginning with a slash. */
static int walk(struct resolution *r, const char *name, const char *after, uint32_t flags)
{
    bool last = after[strspn(after, "/")] == '\0';
    bool wants_directory = after[0] == '/';
    struct stat st;

    if (strcmp(name, "..") == 0)
        return go_up(r);
    if (r->fd < 0) /* below what is missing */
        return tree_path_push(&r->canonical, name) == (size_t)-1 ? -1 : 0;
    if (tree_stat_at(r->fd, name, &st) != 0) {
        if (errno != ENOENT || (flags & MISSING_OK) == 0)
            return -1;
        go_to(r, -1);
        return tree_path_push(&r->canonical, name) == (size_t)-1 ? -1 : 0;
    }
    if (S_ISLNK(st.st_mode) && (!last || wants_directory || (flags & FOLLOW_LAST)))
        return follow(r, name, after);
    if (tree_path_push(&r->canonical, name) == (size_t)-1)
        return -1;
    r->present = r->canonical.length;
    if (S_ISDIR(st.st_mode))
        return go_to(r, openat(r->fd, name, TREE_LOOK | O_DIRECTORY));
    if (last && !wants_directory)
        return 0;
    errno = ENOTDIR;
    return -1;
}

int32_t ch_tree_resolve(int32_t rootfd, const char *path, uint32_t flags, char *buffer,
                        uint32_t capacity, struct ch_filled *filled, struct ch_error *err)
{
    __attribute__((cleanup(free_resolution))) struct resolution r = {
        .rootfd = rootfd,
        .fd = openat(rootfd, ".", TREE_LOOK | O_DIRECTORY),
        .rest = strdup(path),
    };

    *filled = (struct ch_filled){0, 0};
    if (r.fd < 0 || r.rest == NULL)
        return CH_FAIL(err, "openat", "%s", path);
    for (;;) {
        char *name = r.rest + strspn(r.rest, "/");
        size_t length = strcspn(name, "/");

        if (length == 0)
            break;
        TREE_FREE char *component = strndup(name, length);
        TREE_FREE char *after = strdup(name + length);
        if (component == NULL || after == NULL)
            return CH_FAIL(err, "malloc", "%s", path);
        unsigned links = r.links;
        if (strcmp(component, ".") != 0 && walk(&r, component, after, flags) != 0)
            return CH_FAIL(err, "resolve in image", "%s", path);
        if (r.links == links)
            memmove(r.rest, after, strlen(after) + 1);
    }

    filled->needed = r.canonical.length;
    filled->count = r.present;
    if (r.canonical.length <= capacity && r.canonical.length > 0)
        memcpy(buffer, r.canonical.text, r.canonical.length);
    return r.fd < 0 ? 1 : 0;
}
