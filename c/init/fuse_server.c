/* See fuse_server.h: the process. What it answers is in fuse_session.c and fuse_operations.c. */
#define _GNU_SOURCE
#include "fuse_server.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../squashfs/reader.h"
#include "detached.h"
#include "fuse_session.h"

#define WORKERS_MAX 8
#define READERS_MAX 4

/* The server must not read before the mount: the kernel answers EPERM and has nothing to wait for.
 * So it waits for a byte from this pipe, or for its end, if there will be no mount. */
static int mounted_fd = -1;

/* What we are bound to, which may be less than there are. The set has no room for more than 1024.
 */
static unsigned processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : WORKERS_MAX;
}

struct server {
    struct sq *image;
    int fuse_fd;
    int start_fd;
};

static void serve(void *argument)
{
    const struct server *server = argument;
    unsigned cores = processors();
    char byte;

    if (cores > 1)
        sq_start_readahead(server->image, cores < READERS_MAX ? cores : READERS_MAX);
    if (TEMP_FAILURE_RETRY(read(server->start_fd, &byte, 1)) != 1)
        return;
    close(server->start_fd);
    fuse_session_run(server->image, server->fuse_fd,
                     cores < 2             ? 2
                     : cores < WORKERS_MAX ? cores
                                           : WORKERS_MAX,
                     cores > 1);
}

static int start_server(struct sq *image, int image_fd, int fuse_fd, int start_fd,
                        struct ch_error *err)
{
    /* Above stdio, which the server replaces. */
    struct server server = {image, fcntl(fuse_fd, F_DUPFD_CLOEXEC, 3),
                            fcntl(start_fd, F_DUPFD_CLOEXEC, 3)};
    const int fds[3] = {image_fd, server.fuse_fd, server.start_fd};
    int result = server.fuse_fd < 0 || server.start_fd < 0
                     ? CH_FAIL(err, "fcntl", "%s", "SquashFS server")
                     : detached_start("ch-squashfs", serve, &server, fds, 3, err);

    close(server.fuse_fd);
    close(server.start_fd);
    return result;
}

/* Message: "can't open SquashFS: PATH: CALL". */
static int name_image(struct ch_error *err, const char *image)
{
    int result = err->errnum > 0 ? -err->errnum : -EIO;

    if (err->errnum == 0)
        snprintf(err->call, sizeof(err->call), "%.*s", (int)sizeof(err->call) - 1, err->path);
    snprintf(err->path, sizeof(err->path), "%s", image);
    return result;
}

static int open_image(const char *path, struct sq **image, struct ch_error *err)
{
    /* O_NONBLOCK: a FIFO is refused instead of waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), high;

    if (fd < 0)
        return CH_FAIL(err, "open", "%s", path);
    /* Above stdio, which the server replaces. */
    high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    if (high < 0)
        return CH_FAIL(err, "fcntl", "%s", path);
    if (sq_open(high, image, err) < 0) {
        close(high);
        return name_image(err, path);
    }
    return high;
}

int fuse_server_start(const char *path, int fuse_fd, struct ch_error *err)
{
    struct sq *image;
    int ends[2];
    int result, fd = open_image(path, &image, err);

    if (fd < 0)
        return fd;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        result = CH_FAIL(err, "socketpair", "%s", path);
        sq_close(image);
        return result;
    }
    result = start_server(image, fd, fuse_fd, ends[0], err);
    sq_close(image);
    close(ends[0]);
    if (result < 0)
        close(ends[1]);
    else
        mounted_fd = ends[1];
    return result;
}

/* No allow_other: the owner's processes may enter from outside the namespace too, as debuggers do.
 * No default_permissions: files of users that have no number here would be closed to everybody. */
int fuse_mount(int fuse_fd, const char *directory, struct ch_error *err)
{
    char options[128];
    int result = 0;

    snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%u,group_id=%u,max_read=%d",
             fuse_fd, (unsigned)geteuid(), (unsigned)getegid(), FUSE_READ_MAX);
    if (mount("squashfs", directory, "fuse.ch", MS_NOSUID | MS_NODEV | MS_RDONLY, options) < 0)
        result = CH_FAIL(err, "mount", "%s", directory);
    else if (TEMP_FAILURE_RETRY(send(mounted_fd, "m", 1, MSG_NOSIGNAL)) != 1)
        result = CH_FAIL(err, "send", "%s", "SquashFS server");
    close(mounted_fd);
    mounted_fd = -1;
    return result;
}
