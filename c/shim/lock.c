/* The storage directory's lock. */
#include <fcntl.h>
#include <unistd.h>

#include "../ch.h"

/* A POSIX record lock, not flock(2): it works on NFS, and keeps out other implementations, which
 * use the same. It belongs to the process: children do not inherit it. */
int32_t ch_lock_acquire(const char *path, struct ch_error *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);

    if (fd < 0)
        return CH_FAIL(err, "open", "%s", path);
    if (fcntl(fd, F_SETLK, &whole) != 0) {
        int32_t result = CH_FAIL(err, "fcntl(F_SETLK)", "%s", path);
        close(fd);
        return result;
    }
    return fd;
}

int32_t ch_lock_release(int32_t fd, struct ch_error *err)
{
    return close(fd) == 0 ? 0 : CH_FAIL(err, "close", "%d", fd);
}
