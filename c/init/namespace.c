/* See namespace.h and spec/ch-run.md §3.2, §6.2. */
#define _GNU_SOURCE
#include "namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuse_server.h"
#include "message.h"
#include "remedy.h"

#define PROC "/proc"
#define CANT_INIT "can't init user+mount namespaces"

/* AS_ROOT: whether who writes is root outside of the namespace. */
static void write_text(const char *path, const char *text, bool as_root)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        FAIL_HINT(remedy_id_map(PROC, failed, as_root), CANT_INIT ": %s", path);
    close(fd);
}

static void start_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        FAIL_ERRNO("can't start loopback device");
    close(fd);
}

void namespace_user(unsigned int inside_uid, unsigned int outside_uid, unsigned int inside_gid,
                    unsigned int outside_gid, bool mounts, bool no_network)
{
    char text[64];

    if (unshare(CLONE_NEWUSER | (mounts ? CLONE_NEWNS : 0) | (no_network ? CLONE_NEWNET : 0)) < 0)
        FAIL_HINT(remedy_namespace(PROC, failed), CANT_INIT);
    snprintf(text, sizeof(text), "%u %u 1\n", inside_uid, outside_uid);
    write_text("/proc/self/uid_map", text, outside_uid == 0);
    write_text("/proc/self/setgroups", "deny\n", false);
    snprintf(text, sizeof(text), "%u %u 1\n", inside_gid, outside_gid);
    write_text("/proc/self/gid_map", text, false);
    if (no_network)
        start_loopback();
}

/* A busy kernel may refuse for a moment; what is missing stays missing. */
static int open_fuse(void)
{
    for (int tries = 1;; tries++) {
        int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
        if (fd >= 0)
            return fd;
        if (errno != EAGAIN && errno != ENOMEM && errno != EMFILE && errno != ENFILE)
            FAIL_HINT(remedy_fuse_device(failed), "can't open /dev/fuse; giving up");
        if (tries == 6)
            FAIL_ERRNO("too many FUSE errors; giving up");
        WARNING("FUSE error mounting SquashFS; will retry");
        sleep(1);
    }
}

void namespace_squashfs(const char *image, const char *mount_point)
{
    struct ch_error error;
    int fuse;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        FAIL_ERRNO("can't set no_new_privs");
    /* The device belongs to the namespace it is opened in, so not before now; the server is forked
     * before the mount namespace, so that its end is the end of the connection. */
    fuse = open_fuse();
    if (fuse_server_start(image, fuse, &error) < 0) {
        errno = error.errnum;
        if (error.errnum != 0)
            FAIL_ERRNO("can't open SquashFS: %s: %s", image, error.call);
        FAIL("can't open SquashFS: %s: %s", image, error.call);
    }
    if (unshare(CLONE_NEWNS) < 0)
        FAIL_HINT(remedy_namespace(PROC, failed), CANT_INIT);
    if (fuse_mount(fuse, mount_point, &error) < 0) {
        errno = error.errnum;
        FAIL_HINT(remedy_fuse_mount(PROC, failed), "can't mount SquashFS: %s on %s", image,
                  mount_point);
    }
    close(fuse);
}
