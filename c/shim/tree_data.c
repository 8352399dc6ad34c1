/* The bytes of files. */
#include "tree.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define COPY_BLOCK ((size_t)1 << 18)

int32_t ch_tree_read(int32_t fd, void *buffer, uint32_t size, int64_t offset, struct ch_error *err)
{
    for (;;) {
        ssize_t got = offset < 0 ? read(fd, buffer, size) : pread(fd, buffer, size, offset);
        if (got >= 0)
            return (int32_t)got;
        if (errno != EINTR)
            return CH_FAIL(err, "read", "%s", "");
    }
}

static int write_all(int fd, const char *data, uint64_t size, off_t offset)
{
    while (size > 0) {
        ssize_t put = pwrite(fd, data, size, offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return -1;
        data += put;
        size -= (uint64_t)put;
        offset += put;
    }
    return 0;
}

int32_t ch_tree_write(int32_t fd, const void *data, uint32_t size, int64_t offset,
                      struct ch_error *err)
{
    return write_all(fd, data, size, offset) != 0 ? CH_FAIL(err, "pwrite", "%s", "") : 0;
}

int32_t ch_tree_finish_file(int32_t fd, uint64_t size, uint32_t mode, int64_t mtime,
                            uint32_t mtime_nsec, struct ch_error *err)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = mtime, .tv_nsec = mtime_nsec}};
    struct stat st;

    if (tree_stat_at(fd, "", &st) != 0)
        return CH_FAIL(err, "fstatat", "%s", "");
    if ((uint64_t)st.st_size != size && ftruncate(fd, (off_t)size) != 0)
        return CH_FAIL(err, "ftruncate", "%s", "");
    if ((st.st_mode & 07777) != mode && fchmod(fd, mode) != 0)
        return CH_FAIL(err, "fchmod", "%s", "");
    if (futimens(fd, times) != 0)
        return CH_FAIL(err, "futimens", "%s", "");
    return 0;
}

/* Returns how much was copied, short only at the end of FROM; -1 and errno. */
static int64_t copy_by_hand(int from, int to, off_t offset, uint64_t size)
{
    TREE_FREE char *block = malloc(COPY_BLOCK);
    uint64_t done = 0;

    if (block == NULL)
        return -1;
    while (done < size) {
        size_t want = size - done < COPY_BLOCK ? (size_t)(size - done) : COPY_BLOCK;
        ssize_t got = pread(from, block, want, offset + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || (got > 0 && write_all(to, block, (uint64_t)got, offset + (off_t)done) != 0))
            return -1;
        if (got == 0)
            break;
        done += (uint64_t)got;
    }
    return (int64_t)done;
}

static int64_t copy_range(int from, int to, off_t offset, uint64_t size)
{
    uint64_t done = 0;

    while (done < size) {
        int64_t in = offset + (int64_t)done, out = in;
        long got = syscall(SYS_copy_file_range, from, &in, to, &out, (size_t)(size - done), 0);

        if (got > 0) {
            done += (uint64_t)got;
            continue;
        }
        if (got < 0 && errno == EINTR)
            continue;
        /* Refused for many reasons (file systems, kernels, filters), and 0 also for files that do
         * not know their size: what is left is copied by hand, which fails if there really is a
         * reason. */
        int64_t rest = copy_by_hand(from, to, offset + (off_t)done, size - done);
        return rest < 0 ? -1 : (int64_t)done + rest;
    }
    return (int64_t)done;
}

int tree_copy_data(int from, int to, uint64_t size)
{
    off_t at = 0, end = (off_t)size;

    if (size == 0)
        return 0;
    /* A reflink takes the whole file: only right if that is what is wanted. */
    struct stat st;
    if (tree_stat_at(from, "", &st) != 0)
        return -1;
    if ((uint64_t)st.st_size < size) {
        errno = EIO;
        return -1;
    }
    if ((uint64_t)st.st_size == size && ioctl(to, FICLONE, from) == 0)
        return 0;

    bool has_holes = (uint64_t)st.st_blocks * 512 < size;
    while (at < end) {
        off_t data = has_holes ? lseek(from, at, SEEK_DATA) : at;
        if (data < 0 && errno == ENXIO) /* a hole to the end */
            break;
        off_t hole = data < 0 || !has_holes ? end : lseek(from, data, SEEK_HOLE);
        if (data < 0)
            data = at;
        if (hole < 0 || hole > end)
            hole = end;
        if (data >= end)
            break;
        int64_t got = copy_range(from, to, data, (uint64_t)(hole - data));
        if (got < 0)
            return -1;
        if (got < hole - data) {
            errno = EIO;
            return -1;
        }
        at = hole;
    }
    return ftruncate(to, end);
}

int32_t ch_tree_copy_data(int32_t from, int32_t to, uint64_t size, struct ch_error *err)
{
    return tree_copy_data(from, to, size) != 0 ? CH_FAIL(err, "copy_file_range", "%s", "") : 0;
}
