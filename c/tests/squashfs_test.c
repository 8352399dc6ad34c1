/* Images of a foreign tool, mksquashfs, read and compared with the tree they were made from
 * (c/squashfs). */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../squashfs/reader.h"
#include "check.h"

#define BLOCK 131072
/* Enough blocks for several of the places remembered by block_list.c. */
#define HUGE_SIZE (400u << 20)
#define HUGE_END (390u << 20)
#define MANY 1500

/* --- the tree --- */

static void write_file(const char *path, size_t size, bool random)
{
    FILE *file = fopen(path, "w");
    unsigned seed = (unsigned)size + random;

    for (size_t i = 0; file != NULL && i < size; i++)
        fputc(random ? rand_r(&seed) >> 8 & 255 : "abc\n"[rand_r(&seed) >> 8 & 3], file);
    if (file == NULL || fclose(file) != 0)
        check(false, "%s could not be written", path);
}

static void write_at(const char *path, const char *text, off_t at, off_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    if (pwrite(fd, text, strlen(text), at) < 0 || ftruncate(fd, size) < 0)
        check(false, "%s could not be written", path);
    close(fd);
}

static void make_files(void)
{
    static const size_t sizes[] = {
        0,     1,         4095,          4096,      4097,          BLOCK - 1,
        BLOCK, BLOCK + 1, 2 * BLOCK - 1, 2 * BLOCK, 5 * BLOCK + 77};
    char path[64];

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        snprintf(path, sizeof(path), "text%zu", sizes[i]);
        write_file(path, sizes[i], false);
        snprintf(path, sizeof(path), "random%zu", sizes[i]);
        write_file(path, sizes[i], true);
    }
    write_at("sparse", "x", 5 * BLOCK + 3, 20 * BLOCK + 5);
}

static void make_many(void)
{
    char path[80];

    mkdir("many", 0755);
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof(path),
                 "many/a-name-that-is-so-long-that-the-listing-needs-an-index-%06d", i);
        close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600 + i % 64));
    }
}

static bool make_links(void)
{
    char target[4001];

    memset(target, 'a', sizeof(target) - 1);
    target[sizeof(target) - 1] = '\0';
    return mkdir("dir", 0751) == 0 && mkdir("dir/\xff\xfe", 0700) == 0 && mkdir("empty", 0) == 0 &&
           link("text1", "dir/hard") == 0 && symlink("text1", "symbolic") == 0 &&
           symlink(target, "long") == 0 && symlink("circle", "circle") == 0 &&
           symlink("/dir", "absolute") == 0 && symlink("../../../../dir", "climbing") == 0 &&
           symlink("../absolute/hard", "dir/chain") == 0 && mkfifo("fifo", 0622) == 0;
}

static bool make_tree(void)
{
    bool good = mkdir("tree", 0755) == 0 && chdir("tree") == 0;

    make_files();
    make_many();
    good = good && make_links();
    if (geteuid() == 0)
        good = good && mknod("null", S_IFCHR | 0666, makedev(1, 3)) == 0 &&
               mknod("disk", S_IFBLK | 0600, makedev(259, 70000)) == 0;
    if (setxattr("text1", "user.short", "hello", 5, 0) == 0)
        good = good && setxattr("text1", "user.long", "x", 1, 0) == 0 &&
               setxattr("dir", "user.short", "hello", 5, 0) == 0;
    return good && chdir("..") == 0;
}

/* --- comparing --- */

struct comparison {
    struct sq *image;
    unsigned entries;
    char problem[400];
};

static void differ(struct comparison *c, const char *path, const char *what)
{
    if (c->problem[0] == '\0')
        snprintf(c->problem, sizeof(c->problem), "%s of %.300s", what, path);
}

static void compare_part(struct comparison *c, int fd, const struct sq_inode *inode,
                         const char *path, uint64_t offset)
{
    static char want[1 << 20], got[1 << 20];
    struct ch_error err = {0};
    ssize_t there = pread(fd, want, sizeof(want), (off_t)offset);
    int here = sq_read(c->image, inode, offset, got, sizeof(got), &err);

    if (here != there || memcmp(want, got, (size_t)there) != 0)
        differ(c, path, err.path[0] != '\0' ? err.path : "content");
}

static void compare_content(struct comparison *c, const struct sq_inode *inode, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    for (uint64_t at = 0; at < inode->size && at < 64 << 20; at += 1 << 20)
        compare_part(c, fd, inode, path, at);
    if (inode->size > 64 << 20) {
        compare_part(c, fd, inode, path, HUGE_END);
        compare_part(c, fd, inode, path, HUGE_END - 70000);
        compare_part(c, fd, inode, path, 200u << 20);
    }
    compare_part(c, fd, inode, path, inode->size);
    compare_part(c, fd, inode, path, inode->size / 2 + 1);
    close(fd);
}

static void compare_link(struct comparison *c, const struct sq_inode *inode, const char *path)
{
    char want[4096], got[SQ_SYMLINK_MAX + 1];
    ssize_t length = readlink(path, want, sizeof(want));

    if (sq_readlink(c->image, inode, got, NULL) < 0 || length != (ssize_t)inode->size ||
        memcmp(want, got, (size_t)length) != 0)
        differ(c, path, "target");
}

static void compare_xattrs(struct comparison *c, const struct sq_inode *inode, const char *path)
{
    struct sq_xattrs list;
    struct sq_xattr xattr;
    static char value[SQ_XATTR_SIZE_MAX];
    char want[256];
    ssize_t listed = 0;

    if (sq_xattrs_open(c->image, inode, &list, NULL) < 0)
        differ(c, path, "xattrs");
    while (sq_xattrs_next(&list, &xattr, NULL) > 0) {
        listed += xattr.length + 1;
        if (sq_xattr_value(c->image, &xattr, value, NULL) < 0 ||
            lgetxattr(path, xattr.name, want, sizeof(want)) != (ssize_t)xattr.size ||
            memcmp(want, value, xattr.size) != 0)
            differ(c, path, xattr.name);
    }
    sq_xattrs_close(&list);
    if (sq_info(c->image)->has_xattrs && llistxattr(path, NULL, 0) != listed)
        differ(c, path, "number of xattrs");
}

static void compare_inode(struct comparison *c, const struct sq_inode *inode, const char *path)
{
    bool device = inode->type == SQ_CHAR_DEVICE || inode->type == SQ_BLOCK_DEVICE;
    struct stat st;

    c->entries++;
    if (lstat(path, &st) < 0 || inode->mode != st.st_mode)
        differ(c, path, "mode");
    if (inode->uid != st.st_uid || inode->gid != st.st_gid)
        differ(c, path, "owner");
    if (inode->mtime != (uint32_t)st.st_mtime)
        differ(c, path, "time");
    if (inode->type != SQ_DIRECTORY && inode->links != st.st_nlink)
        differ(c, path, "links");
    if ((inode->type == SQ_FILE || inode->type == SQ_SYMLINK) &&
        inode->size != (uint64_t)st.st_size)
        differ(c, path, "size");
    if (device && inode->rdev != (minor(st.st_rdev) & 0xff) + (major(st.st_rdev) << 8) +
                                     ((minor(st.st_rdev) & ~0xffu) << 12))
        differ(c, path, "device");
    compare_xattrs(c, inode, path);
    if (inode->type == SQ_FILE)
        compare_content(c, inode, path);
    if (inode->type == SQ_SYMLINK)
        compare_link(c, inode, path);
}

static unsigned count_entries(const char *path)
{
    DIR *dir = opendir(path);
    unsigned count = 0;

    while (dir != NULL && readdir(dir) != NULL)
        count++;
    if (dir != NULL)
        closedir(dir);
    return count - 2;
}

/* Every entry is found by name too, and reading on from its cookie gives the next. */
static void compare_entry(struct comparison *c, const struct sq_inode *dir, uint64_t *cookie,
                          const struct sq_dirent *entry, const char *path)
{
    struct sq_dirent again;
    struct sq_dir place;
    uint64_t ref;

    if (sq_lookup(c->image, dir, entry->name, entry->length, &ref, NULL) != 1 || ref != entry->ref)
        differ(c, path, "lookup");
    if (sq_dir_open(c->image, dir, *cookie, &place, NULL) < 0 ||
        sq_dir_next(&place, &again, NULL) != 1 || strcmp(again.name, entry->name) != 0)
        differ(c, path, "cookie");
    sq_dir_close(&place);
    *cookie = entry->cookie;
}

static void compare_tree(struct comparison *c, uint64_t ref, const char *path)
{
    struct sq_inode inode;
    struct sq_dirent entry;
    struct sq_dir dir;
    struct ch_error err = {0};
    uint64_t cookie = 0;
    unsigned count = 0;
    int result = sq_inode_read(c->image, ref, &inode, &err);

    if (result < 0) {
        differ(c, path, err.path);
        return;
    }
    compare_inode(c, &inode, path);
    if (inode.type != SQ_DIRECTORY)
        return;
    if ((result = sq_dir_open(c->image, &inode, 0, &dir, &err)) == 0)
        while ((result = sq_dir_next(&dir, &entry, &err)) > 0) {
            char below[5000];
            snprintf(below, sizeof(below), "%s/%s", path, entry.name);
            if (count++ % 50 == 0 || strstr(path, "many") == NULL)
                compare_entry(c, &inode, &cookie, &entry, below);
            cookie = entry.cookie;
            compare_tree(c, entry.ref, below);
        }
    sq_dir_close(&dir);
    if (result < 0)
        differ(c, path, err.path);
    if (count != count_entries(path))
        differ(c, path, "number of entries");
}

/* --- cases --- */

static struct sq *open_image(const char *path)
{
    struct ch_error err = {0};
    struct sq *image = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (sq_open(fd, &image, &err) < 0) {
        check(false, "sq_open() of %s: %s", path, err.path);
        close(fd);
        return NULL;
    }
    return image;
}

/* From the first inode to the last all are met, whatever lies between them. */
static bool follows_inodes(struct sq *image)
{
    struct sq_inode inode;
    struct ch_error err;
    unsigned count = 1, roots;
    int result = sq_inode_read(image, 0, &inode, &err);

    roots = inode.ref == sq_info(image)->root;
    while (result >= 0 && (result = sq_inode_following(image, &inode, &inode, &err)) > 0) {
        roots += inode.ref == sq_info(image)->root;
        count++;
    }
    return result == 0 && count == sq_info(image)->inode_count && roots == 1;
}

static void test_image(const char *name, const char *options, unsigned readahead)
{
    struct comparison c = {0};

    if (check_run("mksquashfs tree image %s -noappend -quiet -no-progress >log 2>&1", options) !=
        0) {
        check_lacks(name, "this mksquashfs doesn't make it");
        return;
    }
    c.image = open_image("image");
    if (c.image == NULL)
        return;
    if (readahead > 0)
        sq_start_readahead(c.image, readahead);
    compare_tree(&c, sq_info(c.image)->root, "tree");
    check(c.problem[0] == '\0' && c.entries > MANY, "sq_read() of %s%s%s", name,
          c.problem[0] != '\0' ? ": " : "", c.problem);
    check(follows_inodes(c.image), "sq_inode_following() meets every inode of %s", name);
    sq_close(c.image);
}

static const struct {
    const char *path;
    int result; /* of sq_resolve() */
    const char *same_as;
} paths[] = {
    {"/", 1, ""},
    {"", 1, "/"},
    {"/dir/hard", 1, "text1"},
    {"//dir/./hard", 1, "text1"},
    {"symbolic", 1, "text1"},
    {"absolute/hard", 1, "text1"},
    {"climbing/hard", 1, "text1"},
    {"dir/chain", 1, "text1"},
    {"absolute/../text1", 1, "text1"},
    {"../../text1", 1, "text1"},
    {"dir/\xff\xfe", 1, "dir/\xff\xfe"},
    {"text1/", 1, "text1"},
    {"text1/x", 0, NULL},
    {"nothing", 0, NULL},
    {"dir/nothing/hard", 0, NULL},
    {"circle", -ELOOP, NULL},
    {"many/a-name-that-is-so-long-that-the-listing-needs-an-index-001499", 1,
     "many/a-name-that-is-so-long-that-the-listing-needs-an-index-001499"},
    {"many/a-name-that-is-so-long-that-the-listing-needs-an-index-001500", 0, NULL},
    {"many/a", 0, NULL},
};

static void test_resolve(struct sq *image)
{
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct sq_inode found = {0}, same = {0};
        int result = sq_resolve(image, paths[i].path, &found, NULL);
        bool good = result == paths[i].result;

        if (good && result > 0)
            good = sq_resolve(image, paths[i].same_as, &same, NULL) == 1 && same.ref == found.ref;
        check(good, "sq_resolve() of %s", paths[i].path);
    }
}

static void *read_randomly(void *argument)
{
    struct sq *image = argument;
    unsigned seed = (unsigned)(uintptr_t)&seed;
    int fd = open("tree/random655437", O_RDONLY | O_CLOEXEC);
    struct sq_inode inode;
    static __thread char want[300000], got[300000];
    void *good = image;

    if (sq_resolve(image, "random655437", &inode, NULL) != 1)
        good = NULL;
    for (int i = 0; i < 300 && good != NULL; i++) {
        off_t at = rand_r(&seed) % 660000;
        size_t size = (size_t)rand_r(&seed) % sizeof(want);
        ssize_t there = pread(fd, want, size, at);

        if (sq_read(image, &inode, (uint64_t)at, got, size, NULL) != there ||
            memcmp(want, got, (size_t)there) != 0)
            good = NULL;
    }
    close(fd);
    return good;
}

static void test_threads(struct sq *image)
{
    pthread_t threads[6];
    void *result;
    bool good = true;

    sq_start_readahead(image, 3);
    for (int i = 0; i < 6; i++)
        pthread_create(&threads[i], NULL, read_randomly, image);
    for (int i = 0; i < 6; i++) {
        pthread_join(threads[i], &result);
        good &= result != NULL;
    }
    check(good, "sq_read() by many threads");
}

int main(void)
{
    char top[] = "/tmp/squashfs_test.XXXXXX";
    struct sq *image;

    if (check_run("command -v mksquashfs >/dev/null") != 0) {
        check_lacks("squashfs_test", "no mksquashfs");
        return check_failures != 0;
    }
    if (mkdtemp(top) == NULL || chdir(top) < 0 || !make_tree())
        check(false, "the tree could not be made");
    test_image("gzip", "-comp gzip", 0);
    test_image("gzip with a small window", "-comp gzip -Xwindow-size 8 -b 1M", 0);
    test_image("xz", "-comp xz", 0);
    test_image("xz for x86", "-comp xz -Xbcj x86 -Xdict-size 8K -b 64K", 0);
    test_image("lzo", "-comp lzo", 0);
    test_image("lz4", "-comp lz4", 0);
    test_image("lzma", "-comp lzma -no-xattrs", 0);
    test_image("blocks of 4 KiB", "-comp zstd -b 4K", 2);
    test_image("blocks of 1 MiB", "-comp zstd -b 1M", 2);
    test_image("nothing compressed", "-noI -noD -noF -noX", 2);
    test_image("no fragments", "-comp lz4 -no-fragments", 2);
    test_image("fragments always", "-comp lz4 -always-use-fragments", 2);
    /* Last, because mksquashfs reads holes. */
    write_at("tree/huge", "start", 0, 0);
    write_at("tree/huge", "end", HUGE_END, HUGE_SIZE);
    test_image("zstd", "-comp zstd", 2);
    image = open_image("image");
    if (image != NULL) {
        test_resolve(image);
        test_threads(image);
        sq_close(image);
    }
    if (chdir("/") == 0)
        check_run("chmod -R u+rwx %s; rm -rf %s", top, top);
    return check_failures != 0;
}
