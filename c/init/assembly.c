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
#include <sys/xattr.h>
#include <unistd.h>

#include "bind.h"
#include "message.h"
#include "mount_id.h"
#include "place.h"
#include "remedy.h"

static const char *in_scratch(const struct assembly *a, const char *name)
{
    static char paths[4][PATH_MAX];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, PATH_MAX, "%s/%s", a->scratch, name);
    return path;
}

static void make(const char *path, mode_t mode)
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
    make(in_scratch(a, "root"), 0755);
    make(in_scratch(a, "store"), 0755);
    if (mount("ch", in_scratch(a, "store"), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
        FAIL_ERRNO("can't mount tmpfs at %s", in_scratch(a, "store"));
}

void assembly_reopen_root(struct assembly *a)
{
    int fd = open(in_scratch(a, "root"), O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        FAIL_ERRNO("can't open: %s", in_scratch(a, "root"));
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

static void make_read_only(struct assembly *a)
{
    struct statvfs st;

    if (fstatvfs(a->root_fd, &st) < 0)
        FAIL_ERRNO("can't statvfs: %s", a->image);
    if (st.f_flag & ST_RDONLY)
        return;
    if (mount(NULL, in_scratch(a, "root"), NULL,
              MS_REMOUNT | MS_BIND | MS_RDONLY | kept_flags(st.f_flag), NULL) < 0)
        FAIL_HINT("some network file systems refuse this; use an image elsewhere, or --write",
                  "can't re-mount image read-only: %s", a->image);
}

void assembly_root(struct assembly *a, int image_fd, const char *image, bool read_only)
{
    char source[64];

    if (image_fd < 0) {
        errno = -image_fd;
        FAIL_ERRNO("can't open: %s", image);
    }
    snprintf(source, sizeof(source), "/proc/self/fd/%d", image_fd);
    if (mount(source, in_scratch(a, "root"), NULL, MS_BIND | MS_REC, NULL) < 0)
        FAIL_ERRNO("can't bind %s to %s", image, in_scratch(a, "root"));
    assembly_reopen_root(a);
    if (read_only)
        make_read_only(a);
}

/* VOLATILE: the layer is of no use after the container, so nothing needs to reach the disk. */
enum endurance { VOLATILE, KEPT };

static void count(void *argument, int id)
{
    (void)id;
    ++*(int *)argument;
}

static bool has_mounts_inside(const char *root)
{
    int mounts = 0;

    return mount_id_list(root, count, &mounts) == 0 && mounts > 1;
}

static bool try_overlay(const char *root, const char *upper, const char *work, const char *more)
{
    char options[4 * PATH_MAX];

    snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s,userxattr%s", root,
             upper, work, more);
    return mount("ch", root, "overlay", 0, options) == 0;
}

static void overlay(struct assembly *a, const char *upper, const char *work, enum endurance how)
{
    const char *root = in_scratch(a, "root");
    bool done = how == VOLATILE && try_overlay(root, upper, work, ",volatile");

    if (!done && (how == KEPT || errno == EINVAL)) /* Linux before 5.10 has no "volatile" */
        done = try_overlay(root, upper, work, "");
    if (!done)
        FAIL_HINT(
            failed == EINVAL && has_mounts_inside(root)
                ? "other file systems are mounted inside the image's directory, and an overlay "
                  "cannot take them along: unmount them, or copy the image"
                : remedy_overlay("/proc", failed, how == KEPT),
            "can't overlay: %s, lowerdir=%s,upperdir=%s,workdir=%s", a->image, root, upper, work);
    assembly_reopen_root(a);
}

static bool has_user_xattrs(const char *path)
{
    const char *const name = "user.overlay.ch";

    return setxattr(path, name, "", 0, 0) == 0 && removexattr(path, name) == 0;
}

/* Without extended attributes the kernel mounts all the same, and then fails in strange ways: a
 * directory that was removed cannot be made again. */
static void check_memory(const char *upper, bool strict)
{
    if (has_user_xattrs(upper))
        return;
    if (strict)
        FAIL_HINT("it needs Linux 6.6 or newer with CONFIG_TMPFS_XATTR; --overlay with a directory "
                  "on ext4 or xfs does not",
                  "tmpfs has no user extended attributes");
    VERBOSE(
        "tmpfs has no user extended attributes (before Linux 6.6): a directory of the image that "
        "is removed cannot be made again");
}

void assembly_overlay_memory(struct assembly *a, const char *size, bool need_xattrs)
{
    char options[PATH_MAX];
    struct stat st;

    VERBOSE("overlaying tmpfs for --write-fake (%s)", size);
    make(in_scratch(a, "store/overlay"), 0755);
    snprintf(options, sizeof(options), "size=%s", size);
    if (mount("ch", in_scratch(a, "store/overlay"), "tmpfs", 0, options) < 0)
        FAIL_HINT("SIZE of --write-fake is as tmpfs(5) has it, such as 4g or 20%",
                  "cannot mount tmpfs for overlay");
    if (fstat(a->root_fd, &st) < 0)
        FAIL_ERRNO("can't stat: %s", a->image);
    make(in_scratch(a, "store/overlay/upper"), st.st_mode & 07777);
    make(in_scratch(a, "store/overlay/work"), 0700);
    check_memory(in_scratch(a, "store/overlay/upper"), need_xattrs);
    overlay(a, in_scratch(a, "store/overlay/upper"), in_scratch(a, "store/overlay/work"), VOLATILE);
}

void assembly_overlay_disk(struct assembly *a, int upper_fd, int work_fd)
{
    char upper[64], work[64];

    snprintf(upper, sizeof(upper), "/proc/self/fd/%d", upper_fd);
    snprintf(work, sizeof(work), "/proc/self/fd/%d", work_fd);
    overlay(a, upper, work, VOLATILE);
}

static int open_layer(int directory_fd, const char *directory, const char *name, mode_t mode)
{
    int fd;

    if (mkdirat(directory_fd, name, 0700) == 0) {
        if (fchmodat(directory_fd, name, mode, 0) < 0)
            FAIL_ERRNO("can't chmod: %s/%s", directory, name);
    } else if (errno != EEXIST) {
        FAIL_ERRNO("can't mkdir: %s/%s", directory, name);
    }
    fd = openat(directory_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        FAIL_ERRNO("can't open: %s/%s", directory, name);
    return fd;
}

static void check_upper(int upper_fd, const char *directory)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", upper_fd);
    if (!has_user_xattrs(path))
        FAIL_HINT(failed == ENOTSUP ? remedy_overlay("/proc", EINVAL, true) : NULL,
                  "can't use for an overlay, no extended attributes: %s", directory);
}

void assembly_overlay_kept(struct assembly *a, int directory_fd, const char *directory)
{
    char upper[64], work[64];
    struct stat st;
    int upper_fd, work_fd;

    if (directory_fd < 0) {
        errno = -directory_fd;
        FAIL_ERRNO("can't open: %s", directory);
    }
    VERBOSE("overlaying %s for --overlay", directory);
    if (fstat(a->root_fd, &st) < 0)
        FAIL_ERRNO("can't stat: %s", a->image);
    upper_fd = open_layer(directory_fd, directory, "upper", st.st_mode & 07777);
    work_fd = open_layer(directory_fd, directory, "work", 0700);
    check_upper(upper_fd, directory);
    snprintf(upper, sizeof(upper), "/proc/self/fd/%d", upper_fd);
    snprintf(work, sizeof(work), "/proc/self/fd/%d", work_fd);
    overlay(a, upper, work, KEPT);
    close(upper_fd);
    close(work_fd);
    hold_root(&a->hold, in_scratch(a, "root"));
}

void assembly_file(struct assembly *a, const char *name, const char *target, const void *content,
                   size_t length, unsigned int mode)
{
    const char *path = in_scratch(a, "store/file");
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
    bind_mount(a, source < 0 ? -errno : source, name, target, MISSING_FAIL, false);
    close(source);
    if (unlink(path) < 0)
        FAIL_ERRNO("can't unlink: %s", path);
}

void assembly_tmpfs(struct assembly *a, const char *target, const char *options)
{
    struct place place;
    char path[64], shown[2 * PATH_MAX];

    snprintf(shown, sizeof(shown), "%s%s", strcmp(a->image, "/") == 0 ? "" : a->image, target);
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
    if (chdir(in_scratch(a, "root")) < 0)
        FAIL_ERRNO("can't chdir into new root");
    /* The old root ends up on top of the new one, hence no directory for it is needed. */
    if (syscall(SYS_pivot_root, ".", ".") < 0) {
        if (errno != EINVAL)
            FAIL_ERRNO("can't pivot_root(2)");
        pivot_from_initramfs(a);
    }
    if (umount2(".", MNT_DETACH) < 0)
        FAIL_ERRNO("can't umount old root");
    if (chroot(".") < 0 || chdir("/") < 0)
        FAIL_ERRNO("can't chroot(2) into new root");
    DEBUG("pivot_root(2) dance successful");
}
