/* A SquashFS image as a file system, without privilege and without a helper program: our reader
 * behind the kernel's FUSE protocol.
 *
 *   unshare(CLONE_NEWUSER), id maps, open("/dev/fuse")
 *   fuse_server_start(image, fd)   forks the server, which stays outside of what follows
 *   unshare(CLONE_NEWNS)
 *   fuse_mount(fd, directory)      and close fd
 *
 * When the last process of the mount namespace is gone, so is the mount, and the server ends. */
#ifndef CH_FUSE_SERVER_H
#define CH_FUSE_SERVER_H

#include "../error.h"

/* Opens and checks IMAGE; if that fails, err->call is the reason (err->errnum 0: the image is to
 * blame) and err->path the image. Then forks a server that is no child of the caller's. 0, or
 * -errno. FUSE_FD remains the caller's. */
int fuse_server_start(const char *image, int fuse_fd, struct ch_error *err);

/* Mounts the server's file system on DIRECTORY, read-only, and lets the server begin. */
int fuse_mount(int fuse_fd, const char *directory, struct ch_error *err);

#endif
