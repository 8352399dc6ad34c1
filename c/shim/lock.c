/* Locks on parts of the storage directory's lock file. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "../ch.h"

/* Record locks, not flock(2): they work on NFS, and keep out other implementations, which lock the
 * whole file. Those of an open file (Linux 3.15), so that one does not end with the next descriptor
 * of the file that this process closes; either kind ends with the process. */
int32_t ch_lock_acquire(const char *path, int64_t offset, uint32_t shared, struct ch_error *err)
{
    struct flock part = {
        .l_type = shared ? F_RDLCK : F_WRLCK,
        .l_whence = SEEK_SET,
        .l_start = offset,
        .l_len = 1,
    };
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);

    if (fd < 0)
        return CH_FAIL(err, "open", "%s", path);
    int result = fcntl(fd, F_OFD_SETLK, &part);
    if (result != 0 && errno == EINVAL)
        result = fcntl(fd, F_SETLK, &part);
    if (result != 0) {
        int32_t failed = CH_FAIL(err, "fcntl(F_SETLK)", "%s", path);
        close(fd);
        return failed;
    }
    return fd;
}

int32_t ch_lock_release(int32_t fd, struct ch_error *err)
{
    struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

    /* Closing would not do while a child that another thread has just forked has the open file,
     * too. */
    fcntl(fd, F_OFD_SETLK, &whole);
    return close(fd) == 0 ? 0 : CH_FAIL(err, "close", "%d", fd);
}
