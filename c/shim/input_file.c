/* Reading a file of the host, from some place to its end. */
#include <fcntl.h>
#include <unistd.h>

#include "ch.h"

int32_t ch_input_open(const char *path, uint64_t offset, struct ch_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return CH_FAIL(err, "open", "%s", path);
    /* A pipe can be read from its start. */
    if (offset > 0 && lseek(fd, (off_t)offset, SEEK_SET) < 0) {
        int code = CH_FAIL(err, "lseek", "%s", path);
        close(fd);
        return code;
    }
    return fd;
}

int32_t ch_input_read(int32_t fd, void *buffer, uint64_t size, struct ch_error *err)
{
    uint64_t done = 0;
    while (done < size) {
        ssize_t n = read(fd, (char *)buffer + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return CH_FAIL(err, "read", "%s", "");
        if (n == 0)
            break;
        done += (uint64_t)n;
    }
    return (int32_t)done;
}

int32_t ch_input_close(int32_t fd)
{
    return close(fd) == 0 ? 0 : -errno;
}
