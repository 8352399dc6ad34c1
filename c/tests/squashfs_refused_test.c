/* Damaged and hostile images: refused with a reason, never more than an error (c/squashfs). */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../squashfs/reader.h"
#include "check.h"

#define REFUSED "tests/data/refused/squashfs"
#define INODES_MAX 100

/* The first error of reading everything, which is in ERR; a directory below itself is one, more
 * inodes than there are another: the reader leaves both to who walks. */
static int read_xattrs(struct sq *image, const struct sq_inode *inode, struct ch_error *err)
{
    static char value[SQ_XATTR_SIZE_MAX];
    struct sq_xattrs list;
    struct sq_xattr xattr;
    int result = sq_xattrs_open(image, inode, &list, err);

    while (result == 0 && (result = sq_xattrs_next(&list, &xattr, err)) > 0)
        result = sq_xattr_value(image, &xattr, value, err);
    sq_xattrs_close(&list);
    return result;
}

static int read_content(struct sq *image, const struct sq_inode *inode, struct ch_error *err)
{
    static char buffer[1 << 16];
    char target[SQ_SYMLINK_MAX + 1];

    if (inode->type == SQ_SYMLINK)
        return sq_readlink(image, inode, target, err);
    if (inode->type == SQ_FILE)
        return sq_read(image, inode, 0, buffer, sizeof(buffer), err);
    return 0;
}

static int read_directory(struct sq *image, const struct sq_inode *inode, uint64_t *queue,
                          unsigned *count, struct ch_error *err)
{
    struct sq_dirent entry;
    struct sq_dir dir;
    int result = sq_dir_open(image, inode, 0, &dir, err);

    while (result >= 0 && (result = sq_dir_next(&dir, &entry, err)) > 0) {
        if (*count == INODES_MAX || *count == sq_info(image)->inode_count)
            result = CH_FAIL_WITH(err, 0, "test", "more inodes than there are");
        else
            queue[(*count)++] = entry.ref;
    }
    sq_dir_close(&dir);
    return result;
}

/* The first error of reading everything. One is left to who walks: a directory below itself, which
 * makes more inodes than the image says it has. */
static int read_all(int fd, struct ch_error *err)
{
    uint64_t queue[INODES_MAX];
    unsigned count = 1;
    struct sq *image;
    int result = sq_open(fd, &image, err);

    if (result < 0) {
        close(fd);
        return result;
    }
    queue[0] = sq_info(image)->root;
    for (unsigned at = 0; at < count && result >= 0; at++) {
        struct sq_inode inode;

        if ((result = sq_inode_read(image, queue[at], &inode, err)) == 0 &&
            (result = read_xattrs(image, &inode, err)) == 0)
            result = inode.type == SQ_DIRECTORY ? read_directory(image, &inode, queue, &count, err)
                                                : read_content(image, &inode, err);
    }
    sq_close(image);
    return result;
}

static void test_refused(void)
{
    DIR *dir = opendir(REFUSED);
    struct dirent *entry;
    unsigned count = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        struct ch_error err = {0};
        int fd;

        if (strstr(entry->d_name, ".sqfs") == NULL)
            continue;
        fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
        check(read_all(fd, &err) < 0 && err.errnum == 0 && err.path[0] != '\0', "%s is refused: %s",
              entry->d_name, err.path);
        count++;
    }
    if (dir != NULL)
        closedir(dir);
    check(count >= 40, "images to be refused are in " REFUSED);
}

/* --- damage by chance --- */

static const char *const make =
    "mkdir tree tree/d && echo small >tree/small && ln -s small tree/link && "
    "seq 1 9000 >tree/large && cp tree/large tree/d/other && head -c 20000 /dev/urandom "
    ">tree/random "
    "&& for i in $(seq 1 60); do : >tree/d/name-$i; done && "
    "(setfattr -n user.a -v value tree/small 2>/dev/null || true)";

static int image_of(const uint8_t *bytes, size_t size)
{
    int fd = memfd_create("image", MFD_CLOEXEC);

    if (write(fd, bytes, size) != (ssize_t)size)
        abort();
    return fd;
}

/* The sanitizers are the test, and the clock: no image may take long. */
static void test_damage(const char *name, uint8_t *bytes, size_t size)
{
    unsigned seed = 1, refused = 0;

    for (size_t cut = 0; cut < size; cut += 1 + size / 100) {
        struct ch_error err = {0};
        if (read_all(image_of(bytes, cut), &err) < 0)
            refused++;
    }
    check(refused == (size + size / 100) / (1 + size / 100), "%s cut off anywhere is refused",
          name);
    for (int round = 0; round < 3000; round++) {
        struct ch_error err = {0};
        size_t at = (size_t)rand_r(&seed) % (round % 2 ? size : 96);
        uint8_t before = bytes[at];

        bytes[at] = (uint8_t)rand_r(&seed);
        read_all(image_of(bytes, size), &err);
        bytes[at] = before;
    }
    check(true, "%s with any byte changed does no harm", name);
}

static void test_damaged(const char *compressor)
{
    struct ch_error err = {0};
    struct stat st;
    uint8_t *bytes;
    int fd;

    if (check_run("mksquashfs tree image -comp %s -b 8K -nopad -noappend -quiet -no-progress "
                  ">log 2>&1",
                  compressor) != 0) {
        check_lacks(compressor, "this mksquashfs doesn't make it");
        return;
    }
    fd = open("image", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || (bytes = malloc((size_t)st.st_size)) == NULL)
        abort();
    if (read(fd, bytes, (size_t)st.st_size) != st.st_size)
        abort();
    check(read_all(fd, &err) >= 0, "%s is whole%s%s", compressor, err.path[0] ? ": " : "",
          err.path);
    test_damage(compressor, bytes, (size_t)st.st_size);
    free(bytes);
}

int main(void)
{
    char top[] = "/tmp/squashfs_refused_test.XXXXXX";

    test_refused();
    if (check_run("command -v mksquashfs >/dev/null") != 0) {
        check_lacks("damaged images", "no mksquashfs");
        return check_failures != 0;
    }
    if (mkdtemp(top) == NULL || chdir(top) < 0 || check_run("%s", make) != 0)
        check(false, "the tree could not be made");
    test_damaged("gzip");
    test_damaged("xz");
    test_damaged("lzo");
    test_damaged("lz4");
    test_damaged("zstd");
    if (chdir("/") == 0)
        check_run("rm -rf %s", top);
    return check_failures != 0;
}
