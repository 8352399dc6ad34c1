/* See assembly.h. The private tmpfs holds `root`, the mount point of the container's root, and
 * `store`, another tmpfs for what has to be made up: an overlay's layers, generated files, symlink
 * ranches. It lies over a host directory that nothing needs any more, because all sources are open
 * by then, and is unbindable, so that it does not come along when that directory is bound. */
#define _GNU_SOURCE
#include "assembly.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bind.h"
#include "message.h"
#include "place.h"
#include "remedy.h"

const char *assembly_in_scratch(const struct assembly *a, const char *name)
{
    static char paths[4][PATH_MAX];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, PATH_MAX, "%s/%s", a->scratch, name);
    return path;
}

const char *assembly_in_image(const struct assembly *a, const char *path)
{
    static char text[2 * PATH_MAX];
    const char *image = strcmp(a->image, "/") == 0 ? "" : a->image;
    snprintf(text, sizeof(text), "%s%s", image, path[0] == '\0' ? "/" : path);
    return text;
}

const char *assembly_image_parent(const struct assembly *a)
{
    static char text[PATH_MAX];
    char *slash;

    snprintf(text, sizeof(text), "%s", a->image);
    slash = strrchr(text, '/');
    if (slash == NULL || slash == text)
        return "/";
    *slash = '\0';
    return text;
}

void assembly_make_directory(const char *path, mode_t mode)
{
    if (mkdir(path, 0700) < 0 || chmod(path, mode) < 0)
        FAIL_ERRNO("can't mkdir: %s", path);
}

void assembly_cover(struct assembly *a, const char *directory)
{
    if (mount("ch", directory, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
        FAIL_HINT(remedy_inside_namespace("/proc", failed), "can't mount tmpfs at %s", directory);
    if (mount(NULL, directory, NULL, MS_UNBINDABLE, NULL) < 0)
        FAIL_ERRNO("can't make unbindable: %s", directory);
    a->scratch = directory;
    assembly_make_directory(assembly_in_scratch(a, "root"), 0755);
    assembly_make_directory(assembly_in_scratch(a, "store"), 0755);
    if (mount("ch", assembly_in_scratch(a, "store"), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") <
        0)
        FAIL_ERRNO("can't mount tmpfs at %s", assembly_in_scratch(a, "store"));
}

void assembly_reopen_root(struct assembly *a)
{
    int fd = open(assembly_in_scratch(a, "root"), O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        FAIL_ERRNO("can't open: %s", assembly_in_scratch(a, "root"));
    if (a->root_fd >= 0)
        close(a->root_fd);
    a->root_fd = fd;
}

/* A user namespace may not drop flags of a mount it did not make, so a remount repeats them. */
static unsigned long kept_flags(unsigned long st)
{
    static const struct {
        unsigned long st, ms;
    } map[] = {
        {ST_MANDLOCK, MS_MANDLOCK},
        {ST_NOATIME, MS_NOATIME},
        {ST_NODEV, MS_NODEV},
        {ST_NODIRATIME, MS_NODIRATIME},
        {ST_NOEXEC, MS_NOEXEC},
        {ST_NOSUID, MS_NOSUID},
        {ST_RELATIME, MS_RELATIME},
        {ST_SYNCHRONOUS, MS_SYNCHRONOUS},
        {0x2000 /* ST_NOSYMFOLLOW */, 256 /* MS_NOSYMFOLLOW */},
    };
    unsigned long ms = 0;

    for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
        if (st & map[i].st)
            ms |= map[i].ms;
    return ms;
}

void assembly_make_read_only(int fd, const char *name)
{
    struct statvfs st;
    char path[64];

    if (fstatvfs(fd, &st) < 0)
        FAIL_ERRNO("can't statvfs: %s", name);
    if (st.f_flag & ST_RDONLY)
        return;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | kept_flags(st.f_flag), NULL) < 0)
        FAIL_HINT("some network file systems refuse this; use an image elsewhere, or --write",
                  "can't re-mount image read-only: %s", name);
}

void assembly_root(struct assembly *a, int image_fd, const char *image, bool read_only)
{
    char source[64];

    if (image_fd < 0) {
        errno = -image_fd;
        FAIL_ERRNO("can't open: %s", image);
    }
    snprintf(source, sizeof(source), "/proc/self/fd/%d", image_fd);
    if (mount(source, assembly_in_scratch(a, "root"), NULL, MS_BIND | MS_REC, NULL) < 0)
        FAIL_ERRNO("can't bind %s to %s", image, assembly_in_scratch(a, "root"));
    assembly_reopen_root(a);
    if (read_only)
        assembly_make_read_only(a->root_fd, a->image);
}

void assembly_file(struct assembly *a, const char *name, const char *target, const void *content,
                   size_t length, unsigned int mode)
{
    const char *path = assembly_in_scratch(a, "store/file");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int source;

    if (fd < 0)
        FAIL_ERRNO("can't open: %s", path);
    while (length > 0) {
        ssize_t n = write(fd, content, length);
        if (n < 0)
            FAIL_ERRNO("can't write: %s", path);
        content = (const char *)content + n;
        length -= (size_t)n;
    }
    if (fchmod(fd, mode) < 0)
        FAIL_ERRNO("can't chmod: %s", path);
    close(fd);
    source = open(path, O_PATH | O_CLOEXEC);
    bind_mount(a, source < 0 ? -errno : source, name, target, MISSING_FAIL, false, false);
    close(source);
    if (unlink(path) < 0)
        FAIL_ERRNO("can't unlink: %s", path);
}

void assembly_tmpfs(struct assembly *a, const char *target, const char *options)
{
    struct place place;
    const char *shown = assembly_in_image(a, target);
    char path[64];

    switch (place_find(a->root_fd, a->basename, target, &place)) {
    case PLACE_FOUND:
        break;
    case PLACE_MISSING:
        errno = ENOENT;
        FAIL_ERRNO("can't mount tmpfs at %s", shown);
    case PLACE_OUTSIDE:
        FAIL("can't bind: %s not subdirectory of %s", shown, a->image);
    case PLACE_ERROR:
        FAIL_ERRNO("can't mount tmpfs at %s", shown);
    }
    if (place.depth == 0)
        FAIL("can't mount tmpfs at %s: leads to /", shown);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", place.fds[place.depth]);
    if (mount("none", path, "tmpfs", 0, options[0] == '\0' ? NULL : options) < 0)
        FAIL_ERRNO("can't mount tmpfs at %s", shown);
    place_close(&place);
}

/* pivot_root(2) refuses where "/" is the initramfs: move the scratch over it first. */
static void pivot_from_initramfs(const struct assembly *a)
{
    if (chdir(a->scratch) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
        chdir("root") < 0)
        FAIL_ERRNO("can't chdir into new root");
    if (syscall(SYS_pivot_root, ".", ".") < 0)
        FAIL_ERRNO("can't pivot_root(2)");
}

void assembly_pivot(struct assembly *a)
{
    if (chdir(assembly_in_scratch(a, "root")) < 0)
        FAIL_ERRNO("can't chdir into new root");
    /* The old root ends up on top of the new one, hence no directory for it is needed. Being our
     * root directory it is replaced as such, too: no chroot(2), which container engines forbid. */
    if (syscall(SYS_pivot_root, ".", ".") < 0) {
        if (errno != EINVAL)
            FAIL_ERRNO("can't pivot_root(2)");
        pivot_from_initramfs(a);
    }
    if (umount2(".", MNT_DETACH) < 0)
        FAIL_ERRNO("can't umount old root");
    if (chdir("/") < 0)
        FAIL_ERRNO("can't chdir into new root");
    DEBUG("pivot_root(2) dance successful");
}
