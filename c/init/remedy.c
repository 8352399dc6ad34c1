/* See remedy.h. Looked up only when something has failed, so it costs a container nothing. */
#define _GNU_SOURCE
#include "remedy.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APPARMOR                                                                                   \
    "AppArmor keeps ordinary users' namespaces powerless here (Ubuntu 23.10 and later): an "       \
    "administrator can permit this program with a profile, see \"AppArmor\" in ch-run(1), or all " \
    "programs with \"sysctl kernel.apparmor_restrict_unprivileged_userns=0\""

/* What a user namespace may have that nobody has limited; those around it may have less. */
#define NOT_LIMITED 2147483647

static char text[PATH_MAX + 256];

/* The number in a file below PROC; -1 if there is none. */
static long read_number(const char *proc, const char *name)
{
    char path[PATH_MAX], digits[32];
    long number = -1;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", proc, name);
    file = fopen(path, "re");
    if (file == NULL)
        return -1;
    if (fgets(digits, sizeof(digits), file) != NULL)
        number = strtol(digits, NULL, 10);
    fclose(file);
    return number;
}

/* Whether a line of a file below PROC starts with BEGINNING. */
static bool has_line(const char *proc, const char *name, const char *beginning)
{
    char path[PATH_MAX], line[512];
    bool found = false;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", proc, name);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    while (!found && fgets(line, sizeof(line), file) != NULL)
        found = strncmp(line, beginning, strlen(beginning)) == 0;
    fclose(file);
    return found;
}

/* The mount points that a process in a chroot sees do not include its root directory, unless that
 * is one itself, in which case the kernel minds as well but nothing tells. */
static bool is_chroot(const char *proc)
{
    char path[PATH_MAX], line[4096];
    bool found = false;
    FILE *file;

    snprintf(path, sizeof(path), "%s/self/mountinfo", proc);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    while (!found && fgets(line, sizeof(line), file) != NULL) {
        char point[256];
        found = sscanf(line, "%*s %*s %*s %*s %255s", point) == 1 && strcmp(point, "/") == 0;
    }
    fclose(file);
    return !found;
}

static bool has_namespaces(const char *proc)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/self/ns/user", proc);
    return access(path, F_OK) == 0;
}

static bool is_apparmor_strict(const char *proc)
{
    return read_number(proc, "sys/kernel/apparmor_restrict_unprivileged_userns") == 1;
}

static const char *remedy_limit(const char *proc)
{
    static const char *const names[] = {"user", "mnt"};

    for (size_t i = 0; i < 2; i++) {
        char name[64];
        snprintf(name, sizeof(name), "sys/user/max_%s_namespaces", names[i]);
        if (read_number(proc, name) != 0)
            continue;
        snprintf(text, sizeof(text),
                 "%s namespaces are switched off: an administrator can allow them with \"sysctl "
                 "user.max_%s_namespaces=65536\", and for good in a file below /etc/sysctl.d",
                 i == 0 ? "user" : "mount", names[i]);
        return text;
    }
    if (read_number(proc, "sys/user/max_user_namespaces") == NOT_LIMITED)
        return "what this runs in permits no user namespaces inside, as \"bwrap --disable-userns\" "
               "and Flatpak do, or it is a container in a container too deep: run it further "
               "outside";
    snprintf(text, sizeof(text),
             "all %ld user namespaces that you may have are in use, or you are in a container in a "
             "container too deep: an administrator can allow more with \"sysctl "
             "user.max_user_namespaces=65536\"",
             read_number(proc, "sys/user/max_user_namespaces"));
    return text;
}

static const char *remedy_forbidden(const char *proc)
{
    if (read_number(proc, "sys/kernel/unprivileged_userns_clone") == 0)
        return "user namespaces are for root alone here (Debian): an administrator can allow them "
               "with \"sysctl kernel.unprivileged_userns_clone=1\", and for good in a file below "
               "/etc/sysctl.d";
    if (is_apparmor_strict(proc))
        return APPARMOR;
    if (is_chroot(proc))
        return "this is a chroot(2), in which the kernel allows no user namespaces: run ch-run "
               "outside of it, or enter the directory with pivot_root(8), systemd-nspawn or ch-run "
               "instead";
    if (has_line(proc, "self/status", "Seccomp:\t2"))
        return "a seccomp filter forbids it, such as that of a container engine: start the outer "
               "container with \"--security-opt seccomp=unconfined\" or a profile that allows "
               "unshare(2), mount(2) and pivot_root(2)";
    return "a security module (SELinux, AppArmor, …) forbids user namespaces to you: ask the "
           "administrator of this machine";
}

const char *remedy_namespace(const char *proc, int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EUSERS:
        return remedy_limit(proc);
    case EPERM:
    case EACCES:
        return remedy_forbidden(proc);
    case EINVAL:
        if (has_namespaces(proc) && has_line(proc, "self/status", "Threads:\t") &&
            !has_line(proc, "self/status", "Threads:\t1\n"))
            return "the program is emulated (QEMU) by a process with threads, which cannot make "
                   "user namespaces: use the executable for this machine's own architecture";
        __attribute__((fallthrough));
    case ENOSYS:
        return has_namespaces(proc)
                   ? NULL
                   : "this kernel has no user namespaces: they need CONFIG_USER_NS, and on RHEL 7 "
                     "\"user_namespace.enable=1\" on the kernel's command line";
    default:
        return NULL;
    }
}

const char *remedy_inside_namespace(const char *proc, int errnum)
{
    if (errnum != EPERM && errnum != EACCES)
        return NULL;
    if (is_apparmor_strict(proc))
        return APPARMOR;
    if (has_line(proc, "self/status", "Seccomp:\t2"))
        return "a seccomp filter or security module restricts what a user namespace may do, such "
               "as "
               "that of a container engine: see its --security-opt";
    return "a security module (SELinux, AppArmor, …) restricts what a user namespace may do: ask "
           "the administrator of this machine";
}

const char *remedy_id_map(const char *proc, int errnum, bool as_root)
{
    if (errnum == EPERM && as_root && !is_apparmor_strict(proc)) /* since Linux 5.12 */
        return "root needs the capability CAP_SETFCAP for it, which this container does not have: "
               "start that with \"--cap-add=SETFCAP\", or as an ordinary user, such as with "
               "\"--user=1000\"";
    return remedy_inside_namespace(proc, errnum);
}

const char *remedy_fuse_device(int errnum)
{
    switch (errnum) {
    case ENOENT:
        return "there is no /dev/fuse: an administrator can load the kernel module with \"modprobe "
               "fuse\" (in a container engine: --device /dev/fuse); or unpack the image: "
               "\"ch-convert IMAGE.sqfs DIRECTORY\"";
    case ENXIO:
    case ENODEV:
        return "the kernel module is not loaded: an administrator can do so with \"modprobe "
               "fuse\"; "
               "or unpack the image: \"ch-convert IMAGE.sqfs DIRECTORY\"";
    case EACCES:
        return "an administrator can open it to all with \"chmod 666 /dev/fuse\"; or unpack the "
               "image: \"ch-convert IMAGE.sqfs DIRECTORY\"";
    case EPERM:
        return "the device is forbidden to this control group: in a container engine, give it with "
               "--device /dev/fuse; or unpack the image: \"ch-convert IMAGE.sqfs DIRECTORY\"";
    default:
        return NULL;
    }
}

const char *remedy_fuse_mount(const char *proc, int errnum)
{
    if (errnum == ENODEV)
        return remedy_fuse_device(ENODEV);
    if (errnum != EPERM && errnum != EACCES)
        return NULL;
    if (is_apparmor_strict(proc))
        return APPARMOR;
    return "mounting FUSE without privilege needs Linux 4.18 or newer; unpack the image: "
           "\"ch-convert IMAGE.sqfs DIRECTORY\"";
}

const char *remedy_overlay(const char *proc, int errnum, int kept)
{
    switch (errnum) {
    case EPERM:
    case EACCES:
        return is_apparmor_strict(proc)
                   ? APPARMOR
                   : "overlays without privilege need Linux 5.11 or newer; do without, or use a "
                     "directory image of your own with --write";
    case ENODEV:
        return "this kernel has no overlayfs: an administrator can load it with \"modprobe "
               "overlay\"";
    case EINVAL:
        return kept
                   ? "the directory's file system (\"df -T\" names it) cannot hold what an overlay "
                     "needs: use one on ext4, xfs, btrfs or tmpfs"
                   : "the image's file system (\"df -T\" names it) cannot lie under an overlay: "
                     "copy "
                     "the image elsewhere, or convert it: \"ch-convert IMAGE IMAGE.sqfs\"";
    case ELOOP:
        return "image and overlay lie in one another, or overlays are stacked too deep";
    default:
        return NULL;
    }
}
