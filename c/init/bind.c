/* See bind.h; rules and texts are those of spec/ch-run.md §3.5. */
#define _GNU_SOURCE
#include "bind.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assembly.h"
#include "make_target.h"
#include "message.h"
#include "place.h"
#include "remedy.h"

static void remember_target(struct assembly *a, const char *path)
{
    char **grown = realloc(a->targets, sizeof(char *) * (size_t)(a->target_count + 1));
    if (grown == NULL || (grown[a->target_count] = strdup(path)) == NULL)
        FAIL_ERRNO("out of memory");
    a->targets = grown;
    a->target_count++;
}

static enum place_result find_target(struct assembly *a, const char *target, struct place *place)
{
    enum place_result result = place_find(a->root_fd, a->basename, target, place);

    if (result == PLACE_ERROR)
        FAIL_ERRNO("can't stat: %s", assembly_in_image(a, target));
    return result;
}

__attribute__((noreturn)) static void fail_not_found(const struct assembly *a, const char *target)
{
    message_hint(
        strncmp(target, "/etc/", 5) == 0
            ? "make an empty file there in the image, or use --no-passwd if it is passwd or "
              "group"
            : "every image needs the directories /dev, /proc, /sys and /tmp: make them");
    FAIL("can't bind: destination not found: %s", assembly_in_image(a, target));
}

/* What was just mounted at TARGET. */
static void make_read_only(struct assembly *a, const char *target)
{
    struct place place;

    if (find_target(a, target, &place) != PLACE_FOUND)
        fail_not_found(a, target);
    assembly_make_read_only(place.fds[place.depth], assembly_in_image(a, target));
    place_close(&place);
}

void bind_mount(struct assembly *a, int source_fd, const char *source, const char *target,
                enum when_missing missing, bool ranch, bool read_only)
{
    struct place place;
    char from[64], to[64];
    enum place_result found;

    if (source[0] == '\0' || target[0] == '\0')
        FAIL("can't bind: empty string");
    if (target[0] != '/')
        FAIL("can't bind: relative path: %s", target);
    if (source_fd == -ENOENT) {
        if (missing == MISSING_SKIP)
            return;
        message_hint("the source is a path of the host: make it there, or mend the path");
        FAIL("can't bind: source not found: %s", source);
    }
    if (source_fd < 0) {
        errno = -source_fd;
        FAIL_ERRNO("can't stat: %s", source);
    }

    found = find_target(a, target, &place);
    if (found == PLACE_MISSING || (found == PLACE_OUTSIDE && missing >= MISSING_MAKE)) {
        if (missing == MISSING_SKIP)
            return;
        if (missing == MISSING_FAIL)
            fail_not_found(a, target);
        make_target(a, target, ranch, missing == MISSING_MAKE_FILE);
        found = find_target(a, target, &place);
    }
    if (found == PLACE_OUTSIDE) {
        message_hint(
            "the destination, or a link of the image in it, leads out of the image: choose "
            "another");
        FAIL("can't bind: %s not subdirectory of %s", assembly_image_parent(a), a->image);
    }
    if (found != PLACE_FOUND)
        fail_not_found(a, target);

    if (place.depth == 0)
        FAIL("can't bind: destination can't be /: %s", target);
    remember_target(a, place.path);
    snprintf(from, sizeof(from), "/proc/self/fd/%d", source_fd);
    snprintf(to, sizeof(to), "/proc/self/fd/%d", place.fds[place.depth]);
    if (mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0)
        FAIL_HINT(failed == ENOTDIR
                      ? "bind a directory on a directory, a file on a file that is there"
                      : remedy_inside_namespace("/proc", failed),
                  "can't bind %s to %s", source, assembly_in_image(a, target));
    place_close(&place);
    if (read_only)
        make_read_only(a, target);
}
