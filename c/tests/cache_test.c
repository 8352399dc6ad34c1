/* States of the build cache: what is stored comes back, damage is noticed wherever it is, garbage
 * goes, and files with as many links as the file system allows are copied. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ch.h"
#include "check.h"
#include "shim/cache.h"

static char top[] = "/var/tmp/ch-cache-test.XXXXXX";
static int cachefd;
static struct ch_error err;
static struct ch_cache_commit_result result; /* of the last commit */

static int open_directory(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Stores PATH as states/aa/NAME. PATHS as ch_cache_commit() wants them, COUNT of them. */
static int32_t store(const char *path, const char *parent, const char *name, const char *paths,
                     uint32_t count, uint32_t flags)
{
    char notices[256];
    int fd = open_directory(path), workfd = open_directory("work");
    struct ch_cache_commit_request request = {
        .cachefd = cachefd,
        .workfd = workfd,
        .fd = fd,
        .flags = flags,
        .path_count = count,
        .largefd = -1,
    };

    unlink("work/state");
    int32_t status =
        ch_cache_commit(&request, parent, paths, notices, sizeof(notices), &result, &err);
    if (status >= 0) {
        struct cache_trailer trailer;
        int state = open("work/state", O_WRONLY | O_APPEND | O_CLOEXEC);
        memcpy(&trailer, result.trailer, sizeof(trailer));
        trailer.text_length = 2;
        if (write(state, "{}", 2) != 2 ||
            write(state, &trailer, sizeof(trailer)) != sizeof(trailer) ||
            renameat(workfd, "state", cachefd, name) != 0)
            status = -EIO;
        close(state);
    }
    close(fd);
    close(workfd);
    return status;
}

static int32_t check_out_to(const char *state, const char *from, const char *path, uint32_t flags)
{
    struct ch_tree_counts counts;
    int fd = open_directory(path);
    int32_t status = ch_cache_check_out(cachefd, state, from, fd, flags, &counts, &err);

    close(fd);
    return status;
}

/* To a new directory. */
static int32_t check_out(const char *state, const char *path, uint32_t flags)
{
    check_run("rm -rf %s && mkdir %s", path, path);
    return check_out_to(state, "", path, flags);
}

/* Names, types, modes, times, targets, contents, hard links. */
static bool is_same(const char *one, const char *other)
{
    return check_run("test \"$(cd %s && tar --sort=name -c . | sha256sum)\" = "
                     "\"$(cd %s && tar --sort=name -c . | sha256sum)\"",
                     one, other) == 0;
}

static const char MAKE_TREE[] =
    "mkdir -p one/a/b/empty one/.git/objects one/c && echo x >one/a/x && ln one/a/x one/c/y && "
    "echo x >one/a/same && : >one/none && ln -s nowhere one/link && mkfifo one/fifo && "
    "echo s >one/suid && chmod 4711 one/suid && echo r >one/read && chmod 400 one/read && "
    "chmod 1777 one/c && touch -d '2001-02-03 04:05:06' one/a/b/empty one/fifo one/read && "
    "echo odd >\"$(printf 'one/odd\\377\\n name')\" && truncate -s 3000000 one/sparse";

static void test_round_trip(void)
{
    check(store("one", "", "states/aa/1", "", 1, 0) == 0, "a tree is stored: %s %s", err.call,
          err.path);
    check(check_out("aa/1", "out", 0) == 0 && is_same("one", "out"), "and comes back");
    check(check_run("test one/read -ef out/read") == 0, "as links to its files");
    check(check_out("aa/1", "copy", CH_CACHE_PRIVATE) == 0 && is_same("one", "copy"),
          "and as copies");
    check(check_run("! test one/read -ef copy/read && test copy/a/x -ef copy/c/y") == 0,
          "that share nothing but with one another");
}

static void test_change(void)
{
    check_run("cp -al one two && rm two/a/same && echo new >two/new && rm -r two/a/b && "
              "echo file >two/a/b && rm two/link && mkdir two/link && echo z >two/link/z");
    check(store("two", "aa/1", "states/aa/2", "new\0a\0link", 3, 0) == 0 &&
              check_out("aa/2", "out", 0) == 0 && is_same("two", "out"),
          "a state that differs at some paths");
    check(check_out_to("aa/1", "aa/2", "out", 0) == 0 && is_same("one", "out"), "switched back");
    check(check_out_to("aa/2", "aa/1", "out", 0) == 0 && is_same("two", "out"), "and forth");

    check_run(
        "mkdir -p upper/a && echo over >upper/a/x && mkdir upper/deep && touch -r two/a upper/a");
    bool has_whiteout = mknod("upper/fifo", S_IFCHR, 0) == 0;
    check_run(
        "cp -al two three && rm -f three/a/x && cp -p upper/a/x three/a/x && mkdir three/deep && "
        "touch -r upper/deep three/deep && touch -r upper/a three/a && chmod 755 three/a");
    if (has_whiteout)
        unlink("three/fifo");
    check_run("touch -r upper three; chmod --reference=upper three");
    check(store("upper", "aa/2", "states/aa/3", "", 0, CH_CACHE_OVERLAY) == 0 &&
              check_out("aa/3", "out", 0) == 0 && is_same("three", "out"),
          "a state that an overlay's upper directory makes");
}

static size_t read_state(const char *path, char *data, size_t capacity)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, data, capacity);

    close(fd);
    return size < 0 ? 0 : (size_t)size;
}

static void write_state(const char *path, const char *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (write(fd, data, size) != (ssize_t)size)
        perror("write");
    close(fd);
}

static void empty_directory(const char *path)
{
    if (check_run("rm -rf %s && mkdir %s", path, path) != 0)
        abort();
}

/* A tree of its own, small, so that each byte can be tried. */
/* Each line of find's is a record. */
static void test_list(void)
{
    int fd = open("listed", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char data[1 << 16];
    struct stat st;
    unsigned directories = 0, links = 0, others = 0, firsts = 0;

    check(ch_cache_list(cachefd, "aa/1", fd, &err) == 0, "a state is listed: %s %s", err.call,
          err.path);
    ssize_t size = pread(fd, data, sizeof(data), 0);
    close(fd);
    check(stat("one/a/b/empty", &st) == 0, "there is something to compare with");
    for (ssize_t at = 0; at < size;) {
        const struct cache_entry *entry = (const void *)(data + at);
        directories += entry->type == 'd';
        links += entry->type == 'l' && strcmp(cache_text(entry), "nowhere") == 0;
        others += strcmp(cache_name(entry), "a/b/empty") == 0 && entry->mtime == st.st_mtim.tv_sec;
        firsts += strcmp(cache_name(entry), "c/y") == 0 && strcmp(cache_text(entry), "a/x") == 0;
        at += entry->length;
    }
    check(directories == 7 && links == 1 && others == 1 && firsts == 1,
          "with everything in it: %u directories", directories);
    check(ch_cache_list(cachefd, "aa/none", -1, &err) == -EBADMSG, "unless there is none");
    check(ch_cache_list(cachefd, "aa/1", -1, &err) == -EBADF, "or nowhere to write");
}

static void test_damage(void)
{
    char good[1 << 16], bad[1 << 16];
    unsigned wrong = 0, tried = 0;

    check_run("mkdir -p small/d && echo x >small/d/f && ln -s t small/l");
    check(store("small", "", "states/aa/9", "", 1, 0) == 0, "a small tree is stored");
    size_t size = read_state("cache/states/aa/9", good, sizeof(good));
    size_t text = size - sizeof(struct cache_trailer) - 2;
    for (size_t at = 0; at < size; at++) {
        /* TypeScript's text, and its length, are TypeScript's business. */
        if (at >= text && at < text + 2)
            continue;
        memcpy(bad, good, size);
        bad[at] ^= (char)(1 << (at % 8));
        write_state("cache/states/aa/9", bad, size);
        empty_directory("out");
        int32_t status = check_out_to("aa/9", "", "out", 0);
        tried++;
        if (status != -EBADMSG && !(status == 0 && is_same("small", "out"))) {
            printf("# byte %zu: %d %s %s\n", at, status, err.call, err.path);
            wrong++;
        }
    }
    check(wrong == 0 && tried > 400, "each of %u damaged bytes is noticed, or does not matter",
          tried);
    wrong = 0;
    for (size_t length = 0; length < size; length++) {
        write_state("cache/states/aa/9", good, length);
        wrong += check_out("aa/9", "out", 0) != -EBADMSG;
    }
    check(wrong == 0, "a file cut off anywhere is noticed");
    write_state("cache/states/aa/9", good, size);
    check_run("echo y >small/d/f");
    check(check_out("aa/9", "out", 0) == -EBADMSG && strcmp(err.call, "take cached file") == 0 &&
              strcmp(err.path, "d/f") == 0,
          "a file that was changed is named");
    unlink("cache/states/aa/9");
    check(check_out("aa/9", "out", 0) == -EBADMSG && strcmp(err.path, "aa/9") == 0,
          "a state that is gone is named");
}

static unsigned count_objects(void)
{
    struct ch_cache_size size;

    return ch_cache_measure(cachefd, &size, &err) == 0 ? (unsigned)size.objects : 0;
}

static void test_sweep(void)
{
    struct ch_cache_sweep_result swept;
    unsigned before = count_objects();

    check(ch_cache_sweep(cachefd, "aa/1\0aa/2\0aa/3", 3, 1, &swept, &err) == 0 &&
              count_objects() == before && swept.kept_bytes > 0,
          "measuring removes nothing");
    check(ch_cache_sweep(cachefd, "aa/1\0aa/2\0aa/3", 3, 0, &swept, &err) == 0 &&
              swept.removed == before - count_objects() && swept.removed > 0,
          "what no state needs is removed");
    check(check_out("aa/3", "out", 0) == 0 && is_same("three", "out"), "and nothing else");
    unlink("cache/states/aa/3");
    unlink("cache/states/aa/2");
    check(ch_cache_sweep(cachefd, "aa/1", 1, 0, &swept, &err) == 0 && swept.removed > 0 &&
              check_out("aa/1", "out", 0) == 0 && is_same("one", "out"),
          "later states go, the first stays");
}

/* One file with as many names as there can be, before it is stored and after. */
static void test_link_limit(void)
{
    char name[32];
    unsigned count = 21;

    if (check_run("mkdir -p full many && echo f >full/f && chmod 644 full/f && "
                  "for d in $(seq 20); do mkdir full/$d && ln full/f full/$d/f && "
                  "for i in $(seq 14); do echo $d $i >full/$d/$i; done; done") != 0)
        abort();
    for (; count < 70000; count++) {
        snprintf(name, sizeof(name), "many/%u", count);
        if (link("full/f", name) != 0)
            break;
    }
    if (count == 70000) {
        check_lacks("link limit", "the file system has none");
        return;
    }
    check(errno == EMLINK && store("full", "", "states/aa/5", "", 1, 0) == 0 &&
              check_out("aa/5", "out", 0) == 0 && is_same("full", "out"),
          "a file with %u names is stored", count);
    unlink("many/21");
    unlink("many/22");
    check_run("rm -r cache/objects && mkdir cache/objects");
    check(store("full", "", "states/aa/6", "", 1, 0) == 0 && link("full/f", "many/21") == 0,
          "a stored file gets as many names as there can be");
    check(check_out("aa/6", "out", 0) == 0 && is_same("full", "out") &&
              check_run("! test full/f -ef out/f") == 0,
          "then it is checked out as a copy, which has the others");
}

/* Directories that are worth being left to other threads. */
static void test_crew(void)
{
    unsigned same = 0;

    if (check_run("mkdir wide && cd wide && for d in $(seq 60); do mkdir -p $d/below && "
                  "for i in $(seq 30); do echo $d $i >$d/$i; done; ln 1/1 $d/link; ln -s x $d/s; "
                  "touch -d '2001-02-03 04:05:06' $d; done") != 0)
        abort();
    check(store("wide", "", "states/aa/9", "", 1, 0) == 0, "a wide tree is stored");
    for (unsigned i = 0; i < 10; i++)
        same += check_out("aa/9", "out", 0) == 0 && is_same("wide", "out");
    check(same == 10, "and comes back, %u times", same);
    check(check_out("aa/1", "out", 0) == 0 && check_out_to("aa/9", "aa/1", "out", 0) == 0 &&
              is_same("wide", "out"),
          "also in the place of another");
    check_run("find cache/objects -samefile wide/40/7 -delete");
    check(check_out("aa/9", "out", 0) == -EBADMSG && strcmp(err.path, "40/7") == 0,
          "a file that is gone is named: %s", err.path);
}

/* Trees that are new as a whole are hashed by several threads, what changes at some paths by one.
 */
static void test_ahead(void)
{
    uint8_t digest[SHA256_SIZE];

    check_run(
        "mkdir -p many && cd many && for d in a b c d/e; do mkdir -p $d && for i in "
        "$(seq 40); do echo $d $i >$d/$i; done; done && head -c 3000000 /dev/urandom >b/large "
        "&& ln a/1 d/e/first && ln d/e/2 a/second && : >c/empty");
    check_run("cp -a many parts && mkdir aside && mv parts/* aside");
    check(store("parts", "", "states/aa/10", "", 1, 0) == 0 &&
              check_run("mv aside/* parts && touch -r many parts") == 0 &&
              store("parts", "aa/10", "states/aa/11", "a\0b\0c\0d", 4, 0) == 0,
          "a tree is stored in parts");
    memcpy(digest, result.digest, sizeof(digest));
    for (unsigned i = 0; i < 20; i++)
        if (store("many", "", "states/aa/12", "", 1, 0) != 0 ||
            memcmp(digest, result.digest, sizeof(digest)) != 0)
            check(false, "attempt %u to store a tree at once: %s %s", i, err.call, err.path);
    check(result.files_read == 164, "a tree is stored at once, and is the same");
    check(check_out("aa/12", "out", 0) == 0 && check_run("diff -r many out") == 0, "it comes back");
}

static void test_refused(void)
{
    if (check_run("mkdir -p odd && mknod odd/null c 1 3 2>/dev/null") != 0) {
        check_lacks("devices", "not root");
    } else {
        check(store("odd", "", "states/aa/7", "", 1, 0) == -ENODEV, "a device is refused");
        unlink("odd/null");
    }
    check_run("mkdir -p odd/closed && echo c >odd/closed/c && chmod 0 odd/closed/c odd/closed");
    check(store("odd", "", "states/aa/8", "", 1, 0) == 0 &&
              check_run("test $(stat -c %%a odd/closed) = 700 && "
                        "test $(stat -c %%a odd/closed/c) = 400") == 0,
          "what has no permissions gets some");
}

int main(void)
{
    if (mkdtemp(top) == NULL || chdir(top) != 0 ||
        check_run("mkdir -p cache/states/aa cache/objects work && %s", MAKE_TREE) != 0) {
        perror(top);
        return 1;
    }
    cachefd = open_directory("cache");
    test_round_trip();
    test_list();
    test_change();
    test_damage();
    test_sweep();
    test_refused();
    test_crew();
    test_ahead();
    test_link_limit();
    close(cachefd);
    check_run("chmod -R u+rwx %s; rm -rf %s", top, top);
    return check_failures != 0;
}
