/* libFuzzer harness: the input is an image, of which everything is read. Bounded by what one would
 * read of an honest image of that size, so a slow input is a finding too. Without clang the images
 * found are replayed by squashfs_corpus_test.c. To find more:
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined c/tests/fuzz_squashfs.c c/error.c \
 *       c/squashfs/[a-z]*.c -ldeflate -lz -lzstd -llzma -llzo2 -llz4 -o fuzz
 *   mkdir found && ./fuzz -timeout=60 -max_len=40000 found c/tests/corpus/squashfs
 *
 * and to keep them: ./fuzz -set_cover_merge=1 c/tests/corpus/squashfs found
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../squashfs/reader.h"

#define INODES_MAX 400
#define FILE_BYTES_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char buffer[FILE_BYTES_MAX];

static void read_xattrs(struct sq *image, const struct sq_inode *inode)
{
    struct sq_xattrs list;
    struct sq_xattr xattr;

    if (sq_xattrs_open(image, inode, &list, NULL) == 0)
        for (int i = 0; i < 50 && sq_xattrs_next(&list, &xattr, NULL) > 0; i++)
            sq_xattr_value(image, &xattr, buffer, NULL);
    sq_xattrs_close(&list);
}

static void read_file(struct sq *image, const struct sq_inode *inode)
{
    struct ch_error err;

    sq_read(image, inode, 0, buffer, FILE_BYTES_MAX, &err);
    if (inode->size > FILE_BYTES_MAX) {
        sq_read(image, inode, inode->size - 10, buffer, 4096, &err);
        sq_read(image, inode, inode->size / 2, buffer, 4096, &err);
    }
}

static void walk(struct sq *image, uint64_t root)
{
    static uint64_t queue[INODES_MAX];
    unsigned count = 1;

    queue[0] = root;
    for (unsigned at = 0; at < count; at++) {
        struct sq_inode inode;
        struct sq_dirent entry;
        struct sq_dir dir;
        struct sq_inode next;
        uint64_t ref;

        if (sq_inode_read(image, queue[at], &inode, NULL) < 0)
            continue;
        next = inode;
        read_xattrs(image, &inode);
        for (int i = 0; i < 50 && sq_inode_following(image, &next, &next, NULL) > 0; i++)
            ;
        if (inode.type == SQ_SYMLINK)
            sq_readlink(image, &inode, buffer, NULL);
        if (inode.type == SQ_FILE)
            read_file(image, &inode);
        if (inode.type != SQ_DIRECTORY)
            continue;
        if (sq_dir_open(image, &inode, 0, &dir, NULL) == 0) {
            for (int i = 0; i < 300 && sq_dir_next(&dir, &entry, NULL) > 0; i++) {
                if (count < INODES_MAX)
                    queue[count++] = entry.ref;
                if (i % 16 == 0)
                    sq_lookup(image, &inode, entry.name, entry.length, &ref, NULL);
            }
        }
        sq_dir_close(&dir);
        if (sq_dir_open(image, &inode, 3 << 8 | 7, &dir, NULL) == 0)
            sq_dir_next(&dir, &entry, NULL);
        sq_dir_close(&dir);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("image", MFD_CLOEXEC);
    struct ch_error err;
    struct sq_inode inode;
    struct sq *image;

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    if (sq_open(fd, &image, &err) < 0) {
        close(fd);
        return 0;
    }
    walk(image, sq_info(image)->root);
    sq_resolve(image, "/etc/link/../x", &inode, NULL);
    sq_resolve(image, "loop/../up/./up/f", &inode, NULL);
    sq_close(image);
    return 0;
}
