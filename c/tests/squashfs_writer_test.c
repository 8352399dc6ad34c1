/* The SquashFS writer under sanitizers: entries of all types, replacement, what is refused, and
 * writers given up at every stage. What images look like is tests/lib/squashfs/writer_test.ts's. */
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

static uint64_t create(void)
{
    uint64_t handle = 0;
    check_run("rm -f %s", image);
    if (ch_squashfs_create(image, &settings, &handle, &error) < 0)
        printf("# create: %s: %s\n", error.call, error.path);
    return handle;
}

static int32_t add(uint64_t handle, const char *path, uint32_t type, const char *target)
{
    struct ch_squashfs_entry entry = {
        .type = type, .mode = 0755, .major = 1, .minor = 300, .fd = -1};
    return ch_squashfs_add(handle, path, &entry, target, "", &error);
}

static int32_t add_file(uint64_t handle, const char *path, size_t size)
{
    struct ch_squashfs_entry entry = {.type = S_IFREG, .size = size, .fd = -1, .xattr_count = 1};
    /* Length of the value, key, value. */
    int32_t result = ch_squashfs_add(handle, path, &entry, "", "\3\0\0\0user.a\0val", &error);
    char *data = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)(i * i >> 7);
    if (result == 0)
        result = ch_squashfs_append(handle, data, size / 2, &error);
    if (result == 0)
        result = ch_squashfs_append(handle, data + size / 2, size - size / 2, &error);
    free(data);
    return result < 0 ? result : ch_squashfs_end_file(handle, &error);
}

static bool fill(uint64_t w)
{
    char name[300];
    bool good = add(w, "", S_IFDIR, "") == 0 && add(w, "d", S_IFDIR, "") == 0;
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof(name), "d/e%d/file", i % 700);
        good &= add_file(w, name, (size_t)i) == 0;
    }
    good &= add_file(w, "large", 1000000) == 0 && add_file(w, "large2", 1000000) == 0;
    good &= add(w, "l", S_IFLNK, "d/../d") == 0 && add_file(w, "l/through", 10) == 0;
    good &= add(w, "null", S_IFCHR, "") == 0 && add(w, "p", S_IFIFO, "") == 0;
    good &= add(w, "hard", CH_SQUASHFS_HARD_LINK, "large") == 0;
    /* Replaced: the first is nowhere to be seen. */
    good &= add(w, "l", S_IFDIR, "") == 0 && add_file(w, "p", 0) == 0;
    return good;
}

static void test_image(void)
{
    struct ch_squashfs_counts counts = {0};
    uint64_t w = create();
    bool good = w != 0 && fill(w) && ch_squashfs_finish(w, &counts, &error) == 0;
    ch_squashfs_close(w);
    check(good && counts.inodes == 700 * 2 + 8, "squashfs writer makes an image: %llu inodes",
          (unsigned long long)counts.inodes);
    struct stat st;
    check(stat(image, &st) == 0 && (uint64_t)st.st_size >= counts.bytes && st.st_size % 4096 == 0,
          "squashfs writer gives it its name");
}

/* Bytes of an image with COPIES of a file of SIZE bytes that are no zeros, or of zeros only. */
static uint64_t size_with_copies(int copies, size_t size, bool zeros)
{
    struct ch_squashfs_counts counts = {0};
    struct ch_squashfs_entry entry = {.type = S_IFREG, .size = size, .fd = -1};
    uint8_t *bytes = calloc(1, size + 1);
    uint64_t w = create();
    uint32_t state = 1;
    char name[32];
    bool good = true;

    for (size_t i = 0; i < size && !zeros; i++)
        bytes[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24 | 1);
    for (int i = 0; i < copies; i++) {
        snprintf(name, sizeof(name), "copy%d", i);
        good &= ch_squashfs_add(w, name, &entry, "", "", &error) == 0 &&
                ch_squashfs_append(w, bytes, size, &error) == 0 &&
                ch_squashfs_end_file(w, &error) == 0;
        /* Other tails between, so that the copies' is in a block gone. */
        snprintf(name, sizeof(name), "between%d", i);
        good &= add_file(w, name, 3000 + (size_t)i) == 0;
    }
    good &= ch_squashfs_finish(w, &counts, &error) == 0;
    ch_squashfs_close(w);
    free(bytes);
    return good ? counts.bytes : 0;
}

static void test_duplicates(void)
{
    static const size_t sizes[] = {70, 65535, 65536, 65537, 400000};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        uint64_t one = size_with_copies(1, sizes[i], false);
        uint64_t many = size_with_copies(80, sizes[i], false);
        uint64_t others = size_with_copies(80, 1, false) - size_with_copies(1, 1, false);
        check(one > sizes[i] / 4 * 3 && many < one + others + 20000,
              "squashfs writer stores a file of %zu bytes once: %llu, 80 times %llu", sizes[i],
              (unsigned long long)one, (unsigned long long)many);
    }
    check(size_with_copies(1, 64u << 20, true) < 8000,
          "squashfs writer does not store blocks of zeros");
}

static void test_abandoned(void)
{
    struct ch_squashfs_entry file = {.type = S_IFREG, .size = 100, .fd = -1};
    ch_squashfs_close(create());
    uint64_t w = create();
    bool good = fill(w);
    ch_squashfs_close(w);
    w = create();
    good &= ch_squashfs_add(w, "a", &file, "", "", &error) == 0;
    good &= ch_squashfs_append(w, "abc", 3, &error) == 0;
    good &= add(w, "b", S_IFDIR, "") == -EINVAL;
    ch_squashfs_close(w);
    check(good && access(image, F_OK) != 0 && check_run("test -z \"$(ls -A %s)\"", directory) == 0,
          "squashfs writer leaves nothing when given up");
}

static void test_refusals(void)
{
    uint64_t w = create();
    char deep[8192] = "x";
    for (int i = 0; i < 4000; i++)
        strcat(deep, "/x");
    add(w, "f", S_IFREG, "");
    ch_squashfs_end_file(w, &error);
    add(w, "loop", S_IFLNK, "loop/a");
    check(add(w, "f/a", S_IFDIR, "") == -ENOTDIR && add(w, "loop/b", S_IFDIR, "") == -ELOOP &&
              add(w, "a/..", S_IFDIR, "") == -EINVAL && add(w, "", S_IFIFO, "") == -ENOTDIR &&
              add(w, "h", CH_SQUASHFS_HARD_LINK, "none") == -ENOENT,
          "squashfs writer refuses what no file system could hold");
    struct ch_squashfs_counts counts;
    check(add(w, deep, S_IFDIR, "") == 0 && ch_squashfs_finish(w, &counts, &error) == 0,
          "squashfs writer copes with thousands of directories in one another");
    ch_squashfs_close(w);
    uint64_t handle;
    check(ch_squashfs_create("/nonexistent/a", &settings, &handle, &error) == -ENOENT,
          "squashfs writer needs the directory of its file");
}

int main(void)
{
    if (mkdtemp(directory) == NULL)
        return 1;
    snprintf(image, sizeof(image), "%s/i.sqfs", directory);
    test_image();
    test_duplicates();
    test_abandoned();
    test_refusals();
    check_run("rm -rf %s", directory);
    return check_failures != 0;
}
