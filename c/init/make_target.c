/* See make_target.h; rules and texts are those of spec/ch-run.md §3.6, §3.9. */
#define _GNU_SOURCE
#include "make_target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"
#include "mount_id.h"
#include "place.h"

#define CHANGING                                                                                   \
    "another process moved or replaced a directory of the image meanwhile: wait until it is done"
#define NO_DESTINATION                                                                             \
    "the image lacks the destination: make it in the image, or let ch-run make it with "           \
    "--write-fake, which changes nothing for good"

/* Is PATH equal to or below DIRECTORY? */
static bool is_below(const char *path, const char *directory)
{
    size_t n = strlen(directory);
    return strncmp(path, directory, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static void check_not_under_bind(const struct assembly *a, const char *path)
{
    char missing[2 * PATH_MAX];

    for (int i = 0; i < a->target_count; i++)
        if (is_below(path, a->targets[i])) {
            snprintf(missing, sizeof(missing), "%s", assembly_in_image(a, path));
            message_hint("nothing is made in directories of the host: make it there yourself, or "
                         "bind elsewhere");
            FAIL("can't mkdir: %s under existing bind-mount %s", missing,
                 assembly_in_image(a, a->targets[i]));
        }
}

/* The paths of targets are no proof: somebody may move a target's directory meanwhile, and the
 * mount goes with it. So a directory is made only in a mount that is the image's, or our ranch. */
static void check_own_mount(const struct assembly *a, int directory, const char *path)
{
    int id = mount_id_of(directory);

    for (int i = 0; i < a->own_mount_count; i++)
        if (a->own_mounts[i] == id)
            return;
    message_hint(CHANGING);
    FAIL("can't mkdir: %s under a bind-mount; the image is being changed",
         assembly_in_image(a, path));
}

static void add_own_mount(struct assembly *a, int id)
{
    int *grown = realloc(a->own_mounts, sizeof(int) * (size_t)(a->own_mount_count + 1));
    if (grown == NULL)
        FAIL_ERRNO("out of memory");
    a->own_mounts = grown;
    a->own_mounts[a->own_mount_count++] = id;
}

static void add_image_mount(void *argument, int id)
{
    add_own_mount(argument, id);
}

void make_target_prepare(struct assembly *a)
{
    char root[PATH_MAX];

    snprintf(root, sizeof(root), "%s/root", a->scratch);
    if (mount_id_list(root, add_image_mount, a) < 0)
        FAIL_ERRNO("can't read: /proc/self/mountinfo");
}

static void bind_fd(int from, const char *to, const char *what)
{
    char source[64];

    snprintf(source, sizeof(source), "/proc/self/fd/%d", from);
    if (mount(source, to, NULL, MS_BIND | MS_REC, NULL) < 0)
        FAIL_ERRNO("can't bind-mount: %s -> %s", what, to);
}

/* One link in the new directory for each entry of the old one. */
static void link_entries(const struct assembly *a, const char *pasture, int original,
                         const char *path)
{
    int fd = openat(original, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (dir == NULL)
        FAIL_ERRNO("can't scan dir: %s", assembly_in_image(a, path));
    while ((entry = readdir(dir)) != NULL) {
        char text[NAME_MAX + 16], link[PATH_MAX + NAME_MAX + 2];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(text, sizeof(text), ".orig/%s", entry->d_name);
        snprintf(link, sizeof(link), "%s/%s", pasture, entry->d_name);
        if (symlink(text, link) < 0)
            FAIL_ERRNO("can't symlink: %s -> %s", link, text);
    }
    closedir(dir);
}

/* That what was looked up again is what we mounted. */
static void check_pasture(const struct assembly *a, const struct place *place, const char *pasture)
{
    struct stat want, got;

    if (stat(pasture, &want) < 0 || fstat(place->fds[place->depth], &got) < 0)
        FAIL_ERRNO("can't stat: %s", pasture);
    if (want.st_dev != got.st_dev || want.st_ino != got.st_ino) {
        message_hint(CHANGING);
        FAIL("can't mkdir in %s; the image is being changed", assembly_in_image(a, place->path));
    }
}

/* A directory or an empty file. */
static int make_entry(int directory, const char *name, bool file)
{
    return file ? mknodat(directory, name, S_IFREG | 0644, 0) : mkdirat(directory, name, 0755);
}

/* The caller may not write the directory PLACE: put one of our own over it, with links to the old
 * entries, and make NAME there. */
static void make_by_ranch(struct assembly *a, struct place *place, const char *name, bool file)
{
    char pasture[PATH_MAX], original[PATH_MAX + 8], over[64];
    int directory = place->fds[place->depth];

    VERBOSE("making writeable via symlink ranch: %s/%s", assembly_in_image(a, place->path), name);
    snprintf(pasture, sizeof(pasture), "%s/store/ranch.%d", a->scratch, ++a->ranch_count);
    snprintf(original, sizeof(original), "%s/.orig", pasture);
    if (mkdir(pasture, 0755) < 0 || mkdir(original, 0755) < 0)
        FAIL_ERRNO("can't mkdir: %s", original);
    bind_fd(directory, original, assembly_in_image(a, place->path));
    link_entries(a, pasture, directory, place->path);
    snprintf(over, sizeof(over), "/proc/self/fd/%d", directory);
    if (mount(pasture, over, NULL, MS_BIND | MS_REC, NULL) < 0)
        FAIL_ERRNO("can't bind-mount: %s -> %s", pasture, assembly_in_image(a, place->path));

    /* The descriptor still means the covered directory; look the place up again. */
    if (place->depth == 0) {
        assembly_reopen_root(a);
        place->fds[0] = a->root_fd;
    } else {
        char last[NAME_MAX + 1];
        snprintf(last, sizeof(last), "%s", strrchr(place->path, '/') + 1);
        place_leave(place);
        if (place_enter(place, last) < 0)
            FAIL_ERRNO("can't stat: %s/%s", assembly_in_image(a, place->path), last);
    }
    check_pasture(a, place, pasture);
    add_own_mount(a, mount_id_of(place->fds[place->depth]));
    if (make_entry(place->fds[place->depth], name, file) < 0)
        FAIL_ERRNO("can't mkdir even after overmount: %s/%s", assembly_in_image(a, place->path),
                   name);
}

static void make_missing(struct assembly *a, struct place *place, const char *name, bool ranch,
                         bool file)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", place->path, name) >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        FAIL_ERRNO("can't mkdir: %s", assembly_in_image(a, place->path));
    }
    check_not_under_bind(a, path);
    check_own_mount(a, place->fds[place->depth], path);
    if (make_entry(place->fds[place->depth], name, file) == 0 || errno == EEXIST)
        return;
    if (!ranch || (errno != EACCES && errno != EPERM))
        FAIL_HINT(ranch ? NULL : NO_DESTINATION, "can't mkdir: %s", assembly_in_image(a, path));
    make_by_ranch(a, place, name, file);
}

/* An existing component: a link is followed if it is relative and leads somewhere. */
static void enter_existing(struct assembly *a, struct place *place, const char *name, bool last)
{
    struct stat st;
    char path[PATH_MAX + NAME_MAX + 2], text[PATH_MAX], through[2 * PATH_MAX];
    ssize_t n;

    snprintf(path, sizeof(path), "%s/%s", place->path, name);
    if (place_enter(place, name) < 0 ||
        fstatat(place->fds[place->depth], "", &st, AT_EMPTY_PATH) < 0)
        FAIL_ERRNO("can't stat: %s", assembly_in_image(a, path));
    if (S_ISLNK(st.st_mode)) {
        n = readlinkat(place->fds[place->depth], "", text, sizeof(text) - 1);
        if (n < 0)
            FAIL_ERRNO("can't read symlink: %s", assembly_in_image(a, path));
        text[n] = '\0';
        message_hint("bind at the path that the link should lead to");
        if (text[0] == '/')
            FAIL("can't mkdir: symlink not relative: %s", assembly_in_image(a, path));
        place_leave(place);
        snprintf(through, sizeof(through), "%s/%s", place->path, text);
        place_close(place);
        switch (place_find(a->root_fd, a->basename, through, place)) {
        case PLACE_FOUND:
            break;
        case PLACE_OUTSIDE:
            FAIL("can't bind: %s not subdirectory of %s", assembly_image_parent(a), a->image);
        case PLACE_MISSING:
        case PLACE_ERROR:
            FAIL("can't mkdir: broken symlink: %s", assembly_in_image(a, path));
        }
        message_hint(NULL);
        if (fstatat(place->fds[place->depth], "", &st, AT_EMPTY_PATH) < 0)
            FAIL_ERRNO("can't stat: %s", assembly_in_image(a, path));
    }
    if (!S_ISDIR(st.st_mode) && !last)
        FAIL("can't mkdir: exists but not a directory: %s", assembly_in_image(a, path));
}

void make_target(struct assembly *a, const char *target, bool ranch, bool file)
{
    struct place place;
    char *copy = strdup(target), *save = NULL, *next;
    char *name = copy == NULL ? NULL : strtok_r(copy, "/", &save);
    char outside[PATH_MAX] = "";
    struct stat st;

    place_start(&place, a->root_fd);
    for (; name != NULL; name = next) {
        next = strtok_r(NULL, "/", &save);
        if (strcmp(name, ".") == 0)
            continue;
        if (outside[0] != '\0') {
            if (strcmp(name, a->basename) != 0)
                FAIL("can't mkdir: %s/%s not subdirectory of %s", outside, name, a->image);
            outside[0] = '\0';
        } else if (strcmp(name, "..") == 0) {
            if (!place_leave(&place))
                snprintf(outside, sizeof(outside), "%s", assembly_image_parent(a));
        } else {
            int found = fstatat(place.fds[place.depth], name, &st, AT_SYMLINK_NOFOLLOW);
            if (found < 0 && errno != ENOENT)
                FAIL_ERRNO("can't stat: %s/%s", assembly_in_image(a, place.path), name);
            if (found < 0)
                make_missing(a, &place, name, ranch, file && next == NULL);
            enter_existing(a, &place, name, next == NULL);
        }
    }
    place_close(&place);
    free(copy);
}
