/* See place.h. The descriptors on the way are kept, so that ".." is the directory we came from
 * whatever somebody else does to the tree meanwhile. */
#define _GNU_SOURCE
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LINKS 40 /* as the kernel */

void place_start(struct place *place, int root_fd)
{
    place->fds[0] = root_fd;
    place->depth = 0;
    place->path[0] = '\0';
}

void place_close(struct place *place)
{
    int saved = errno;
    while (place->depth > 0)
        close(place->fds[place->depth--]);
    errno = saved;
}

int place_enter(struct place *place, const char *name)
{
    size_t length = strlen(place->path);
    int fd;

    if (place->depth + 1 >= PLACE_DEPTH || length + strlen(name) + 2 > sizeof(place->path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = openat(place->fds[place->depth], name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    place->fds[++place->depth] = fd;
    snprintf(place->path + length, sizeof(place->path) - length, "/%s", name);
    return 0;
}

bool place_leave(struct place *place)
{
    if (place->depth == 0)
        return false;
    close(place->fds[place->depth--]);
    *strrchr(place->path, '/') = '\0';
    return true;
}

/* Take the first component off *REST into NAME. False when none is left. */
static bool next_component(const char **rest, char name[NAME_MAX + 1])
{
    size_t n;

    *rest += strspn(*rest, "/");
    n = strcspn(*rest, "/");
    if (n == 0)
        return false;
    if (n > NAME_MAX)
        n = NAME_MAX; /* cannot exist; the lookup will say so */
    memcpy(name, *rest, n);
    name[n] = '\0';
    *rest += strcspn(*rest, "/");
    return true;
}

/* REST becomes the link's text, a slash, and the old rest. */
static int splice_link(int link_fd, char *buffer, const char **rest)
{
    char text[PATH_MAX], joined[2 * PATH_MAX];
    ssize_t n = readlinkat(link_fd, "", text, sizeof(text) - 1);

    if (n < 0)
        return -1;
    text[n] = '\0';
    if (n == 0 || snprintf(joined, sizeof(joined), "%s/%s", text, *rest) >= PATH_MAX) {
        errno = n == 0 ? ENOENT : ENAMETOOLONG;
        return -1;
    }
    strcpy(buffer, joined);
    *rest = buffer;
    return 0;
}

enum place_result place_find(int root_fd, const char *basename, const char *target,
                             struct place *place)
{
    char buffer[PATH_MAX], name[NAME_MAX + 1], after[NAME_MAX + 1];
    const char *rest = target;
    struct stat st;
    int links = 0;

    place_start(place, root_fd);
    while (next_component(&rest, name)) {
        if (strcmp(name, ".") == 0)
            continue;
        if (strcmp(name, "..") == 0) {
            const char *peek = rest;
            if (place_leave(place))
                continue;
            if (!next_component(&peek, after) || strcmp(after, basename) != 0)
                return PLACE_OUTSIDE;
            rest = peek;
            continue;
        }
        if (place_enter(place, name) < 0) {
            place_close(place);
            return errno == ENOENT ? PLACE_MISSING : PLACE_ERROR;
        }
        if (fstatat(place->fds[place->depth], "", &st, AT_EMPTY_PATH) < 0)
            goto error;
        if (!S_ISLNK(st.st_mode))
            continue;
        if (++links > MAX_LINKS) {
            errno = ELOOP;
            goto error;
        }
        if (splice_link(place->fds[place->depth], buffer, &rest) < 0) {
            if (errno == ENOENT)
                goto missing;
            goto error;
        }
        place_leave(place);
        if (rest[0] == '/')
            while (place_leave(place))
                ;
    }
    return PLACE_FOUND;
missing:
    place_close(place);
    return PLACE_MISSING;
error:
    place_close(place);
    return PLACE_ERROR;
}
