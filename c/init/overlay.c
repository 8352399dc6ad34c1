/* See overlay.h. */
#define _GNU_SOURCE
#include "overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "message.h"
#include "mount_id.h"
#include "remedy.h"

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

/* SOURCE is what mount tables call it. */
static bool try_overlay(const char *source, const char *root, const char *upper, const char *work,
                        const char *more)
{
    char options[4 * PATH_MAX];

    snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s,userxattr%s", root,
             upper, work, more);
    return mount(source, root, "overlay", 0, options) == 0;
}

static void mount_overlay(struct assembly *a, const char *upper, const char *work,
                          enum endurance how)
{
    const char *root = assembly_in_scratch(a, "root");
    char source[64];
    struct stat st;

    /* The one way to find out from outside which image is below: lib/store/used_trees.ts does. */
    if (fstat(a->root_fd, &st) < 0)
        FAIL_ERRNO("can't stat: %s", a->image);
    snprintf(source, sizeof(source), "ch:%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    bool done = how == VOLATILE && try_overlay(source, root, upper, work, ",volatile");

    if (!done && (how == KEPT || errno == EINVAL)) /* Linux before 5.10 has no "volatile" */
        done = try_overlay(source, root, upper, work, "");
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

void overlay_memory(struct assembly *a, const char *size, bool need_xattrs)
{
    char options[PATH_MAX];
    struct stat st;

    VERBOSE("overlaying tmpfs for --write-fake (%s)", size);
    assembly_make_directory(assembly_in_scratch(a, "store/overlay"), 0755);
    snprintf(options, sizeof(options), "size=%s", size);
    if (mount("ch", assembly_in_scratch(a, "store/overlay"), "tmpfs", 0, options) < 0)
        FAIL_HINT("SIZE of --write-fake is as tmpfs(5) has it, such as 4g or 20%",
                  "cannot mount tmpfs for overlay");
    if (fstat(a->root_fd, &st) < 0)
        FAIL_ERRNO("can't stat: %s", a->image);
    assembly_make_directory(assembly_in_scratch(a, "store/overlay/upper"), st.st_mode & 07777);
    assembly_make_directory(assembly_in_scratch(a, "store/overlay/work"), 0700);
    check_memory(assembly_in_scratch(a, "store/overlay/upper"), need_xattrs);
    mount_overlay(a, assembly_in_scratch(a, "store/overlay/upper"),
                  assembly_in_scratch(a, "store/overlay/work"), VOLATILE);
}

void overlay_disk(struct assembly *a, int upper_fd, int work_fd)
{
    char upper[64], work[64];

    snprintf(upper, sizeof(upper), "/proc/self/fd/%d", upper_fd);
    snprintf(work, sizeof(work), "/proc/self/fd/%d", work_fd);
    mount_overlay(a, upper, work, VOLATILE);
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

void overlay_kept(struct assembly *a, int directory_fd, const char *directory)
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
    mount_overlay(a, upper, work, KEPT);
    close(upper_fd);
    close(work_fd);
    hold_root(&a->hold, assembly_in_scratch(a, "root"));
}
