/* For trying things out, not shipped: mounts an image as an ordinary user and runs a command there.
 *
 *   mount_image IMAGE DIRECTORY COMMAND [ARGUMENT...]
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../init/fuse_server.h"

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) {
        perror(path);
        exit(1);
    }
    close(fd);
}

static int fail(const struct ch_error *err)
{
    fprintf(stderr, "%s: %s%s%s (%s:%d)\n", err->path, err->call, err->errnum ? ": " : "",
            err->errnum ? strerror(err->errnum) : "", err->file, err->line);
    return 1;
}

int main(int argc, char **argv)
{
    struct ch_error err = {0};
    char map[64];
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int fuse;

    if (argc < 4)
        return 2;
    if (unshare(CLONE_NEWUSER) < 0) {
        perror("unshare");
        return 1;
    }
    write_text("/proc/self/setgroups", "deny");
    snprintf(map, sizeof(map), "0 %u 1", uid);
    write_text("/proc/self/uid_map", map);
    snprintf(map, sizeof(map), "0 %u 1", gid);
    write_text("/proc/self/gid_map", map);
    fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (fuse < 0) {
        perror("/dev/fuse");
        return 1;
    }
    if (fuse_server_start(argv[1], fuse, &err) < 0)
        return fail(&err);
    if (unshare(CLONE_NEWNS) < 0) {
        perror("unshare");
        return 1;
    }
    if (fuse_mount(fuse, argv[2], &err) < 0)
        return fail(&err);
    close(fuse);
    execvp(argv[3], argv + 3);
    perror(argv[3]);
    return 127;
}
