/* Whole directories into SquashFS images, under sanitizers. That an image made so equals one made
 * entry by entry is tests/lib/squashfs/writer_test.ts's. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../ch.h"
#include "check.h"

static const struct ch_squashfs_settings settings = {
    .compressor = 6,
    .level = 3,
    .block_size = 65536,
    .workers = 2,
};

static char directory[] = "/tmp/ch-test.XXXXXX";
static char image[64];
static struct ch_error error;

/* Adds what is below ROOTFD and completes the image. Result: of adding. */
static int32_t add_tree(int rootfd, const char *excluded, struct ch_squashfs_tree_state *state,
                        struct ch_squashfs_counts *counts)
{
    struct ch_squashfs_tree_options options = {.directory_mode = 0700, .latest = INT64_MAX};
    uint64_t handle = 0;
    int32_t result;

    check_run("rm -f %s", image);
    if (ch_squashfs_create(image, &settings, &handle, &error) < 0)
        return -1;
    result = ch_squashfs_add_tree(handle, rootfd, excluded, &options, state, &error);
    if (result == 0)
        result = ch_squashfs_finish(handle, counts, &error);
    ch_squashfs_close(handle);
    return result;
}

static int open_tree(void)
{
    return open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void test_tree(void)
{
    struct ch_squashfs_tree_state state = {0};
    struct ch_squashfs_counts counts = {0};
    int fd = open_tree();
    int32_t result = add_tree(fd, "", &state, &counts);

    /* The root, d, 3000 files, one of them with a second name, 100 nested directories, a link, a
     * FIFO. */
    check(result == 0 && counts.inodes == 1 + 1 + 3000 + 100 + 1 + 1,
          "squashfs add_tree takes everything, names of one file as one: %llu inodes",
          (unsigned long long)counts.inodes);
    check(state.bytes == 3000 * 6, "squashfs add_tree counts the bytes it has read: %llu",
          (unsigned long long)state.bytes);
    close(fd);
}

static void test_excluded(void)
{
    static const char excluded[] = "n\0d/2\0p\0";
    struct ch_squashfs_tree_state state = {0};
    struct ch_squashfs_counts counts = {0};
    int fd = open_tree();
    int32_t result = add_tree(fd, excluded, &state, &counts);

    check(result == 0 && counts.inodes == 1 + 1 + 2999 + 1,
          "squashfs add_tree leaves out what it is told to, and what is below: %llu inodes",
          (unsigned long long)counts.inodes);
    close(fd);
}

static void test_stopped(void)
{
    struct ch_squashfs_tree_state state = {.stop = 1};
    struct ch_squashfs_counts counts = {0};
    int fd = open_tree();

    check(add_tree(fd, "", &state, &counts) == -ECANCELED && access(image, F_OK) != 0,
          "squashfs add_tree stops when it is told to, and leaves no image");
    close(fd);
}

static void test_refused(void)
{
    struct ch_squashfs_tree_state state = {0};
    struct ch_squashfs_counts counts = {0};
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    check(add_tree(fd, "", &state, &counts) == -ENOTDIR && access(image, F_OK) != 0,
          "squashfs add_tree fails for what is no directory");
    close(fd);
}

int main(void)
{
    if (mkdtemp(directory) == NULL)
        return 2;
    snprintf(image, sizeof(image), "%s.sqfs", directory);
    check_run("cd %s && mkdir d && for i in $(seq 3000); do echo $((i + 10000)) >d/$i; done &&"
              " ln d/1 hard && ln -s d l && mkfifo p &&"
              " path=n && for i in $(seq 99); do path=$path/n; done && mkdir -p $path",
              directory);
    test_tree();
    test_excluded();
    test_stopped();
    test_refused();
    check_run("rm -rf %s %s", directory, image);
    return check_failures != 0;
}
