/* Many things made in a tree in one call: in their order, and stopped where the caller must decide.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ch.h"
#include "check.h"

static char top[] = "/var/tmp/ch-batch-test.XXXXXX";
static struct ch_error err;

/* Texts and data, each at a place of its own. */
static char texts[4096];
static uint32_t texts_end;
static struct ch_tree_step steps[16];
static uint32_t count;
static const char data[] = "0123456789";

static uint32_t text(const char *string)
{
    uint32_t at = texts_end;

    strcpy(texts + at, string);
    texts_end += (uint32_t)strlen(string) + 1;
    return at;
}

static struct ch_tree_step *add(uint32_t kind, const char *parent, const char *name)
{
    struct ch_tree_step *step = &steps[count++];

    *step = (struct ch_tree_step){
        .kind = kind, .parent = text(parent), .name = text(name), .mode = 0640, .mtime = 1000};
    return step;
}

static void begin(void)
{
    texts_end = count = 0;
}

static bool content_is(const char *path, const char *expected)
{
    char buffer[64] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, buffer, sizeof(buffer) - 1);

    close(fd);
    return got == (ssize_t)strlen(expected) && strcmp(buffer, expected) == 0;
}

static struct stat look(const char *path)
{
    struct stat st = {0};

    lstat(path, &st);
    return st;
}

static struct ch_tree_batch_result result;

/* The steps from FROM on: what ch_tree_batch_run() returns. */
static int32_t take(uint64_t batch, uint32_t from)
{
    return ch_tree_batch_run(batch, steps, from, count, texts, data, &result, &err);
}

static void test_order(uint64_t batch)
{
    begin();
    add(CH_STEP_DIRECTORY, "", "d");
    struct ch_tree_step *file = add(CH_STEP_FILE, "d", "f");
    file->data = 2;
    file->size = 3;
    file->mode = 04751;
    add(CH_STEP_LINK, "", "h")->target = text("d/f");
    add(CH_STEP_SYMLINK, "d", "l")->target = text("anywhere");
    add(CH_STEP_NODE, "d", "p")->mode = S_IFIFO | 0600;
    add(CH_STEP_OPEN, "", "parts");
    struct ch_tree_step *part = add(CH_STEP_WRITE, "", "parts");
    part->size = 1;
    part->offset = 2;
    struct ch_tree_step *end = add(CH_STEP_CLOSE, "", "parts");
    end->size = 4;
    end->mode = 0444;
    int32_t status = take(batch, 0);
    check(status == 0 && result.done == count && result.stop == 0, "all steps are taken");
    struct stat st = look("d/f");
    check(content_is("d/f", "234") && (st.st_mode & 07777) == 04751 && st.st_mtime == 1000 &&
              st.st_nlink == 2 && look("h").st_ino == st.st_ino,
          "a file has content, mode, time and its second name");
    check(S_ISLNK(look("d/l").st_mode) && look("d/l").st_mtime == 1000 &&
              S_ISFIFO(look("d/p").st_mode),
          "a link and a FIFO");
    st = look("parts");
    check(st.st_size == 4 && (st.st_mode & 07777) == 0444, "a file made of parts");

    begin();
    add(CH_STEP_FILE, "d", "l")->size = 1;
    add(CH_STEP_DIRECTORY, "", "h");
    add(CH_STEP_LINK, "d", "f")->target = text("d/f");
    status = take(batch, 0);
    check(status == 0 && result.done == 3 && content_is("d/l", "0") && S_ISDIR(look("h").st_mode) &&
              content_is("d/f", "234"),
          "what is in the way gives way");
}

static void test_stops(uint64_t batch)
{
    static const struct {
        const char *what;
        uint32_t kind, stop;
        const char *parent, *name, *target;
    } cases[] = {
        {"a parent that is missing", CH_STEP_FILE, CH_STOP_PARENT, "missing", "f", ""},
        {"a parent that is a link", CH_STEP_FILE, CH_STOP_PARENT, "out", "f", ""},
        {"a parent behind a link", CH_STEP_ENTER, CH_STOP_PARENT, "out/x", "f", ""},
        {"a parent that is a file", CH_STEP_FILE, CH_STOP_PARENT, "d/f", "x", ""},
        {"a parent above the root", CH_STEP_FILE, CH_STOP_PARENT, "../..", "x", ""},
        {"a directory in the way", CH_STEP_FILE, CH_STOP_OCCUPIED, "", "d", ""},
        {"a directory in the way of a part", CH_STEP_OPEN, CH_STOP_OCCUPIED, "", "d", ""},
        {"a directory in the way of a link", CH_STEP_SYMLINK, CH_STOP_OCCUPIED, "", "d", "x"},
        {"a directory in the way of a hard link", CH_STEP_LINK, CH_STOP_OCCUPIED, "", "d", "d/f"},
        {"no target", CH_STEP_LINK, CH_STOP_TARGET, "", "new", "missing"},
        {"a target behind a link", CH_STEP_LINK, CH_STOP_TARGET, "", "new", "out/x"},
        {"a target that is a directory", CH_STEP_LINK, CH_STOP_TARGET, "", "new", "d"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        begin();
        add(CH_STEP_FILE, "", "before")->size = 1;
        add(cases[i].kind, cases[i].parent, cases[i].name)->target = text(cases[i].target);
        add(CH_STEP_FILE, "", "behind")->size = 1;
        int32_t status = take(batch, 0);
        check(status == 0 && result.done == 1 && result.stop == cases[i].stop &&
                  access("before", F_OK) == 0 && access("behind", F_OK) != 0,
              "stops at %s", cases[i].what);
    }
    begin();
    add(CH_STEP_FILE | CH_STEP_RESOLVED, "out", "f");
    int32_t status = take(batch, 0);
    check(status == -ELOOP && strcmp(err.path, "out") == 0, "a resolved parent is not followed");
    check(check_run("test ! -e %s.out/f", top) == 0, "nothing was made outside");
}

static void test_failure(uint64_t batch)
{
    char name[301];

    memset(name, 'n', 300);
    name[300] = '\0';
    begin();
    add(CH_STEP_FILE, "", "good");
    add(CH_STEP_FILE, "", name);
    int32_t status = take(batch, 0);
    check(status == -ENAMETOOLONG && result.done == 1, "a failure says which step it was");
    status = take(batch, 2);
    check(status == 0 && result.done == 2, "there may be nothing to do");
}

static void *cancel(void *batch)
{
    ch_tree_batch_cancel(*(uint64_t *)batch);
    return NULL;
}

static void test_cancel(int rootfd)
{
    uint64_t batch;
    pthread_t thread;

    ch_tree_batch_open(rootfd, 0, &batch, &err);
    begin();
    add(CH_STEP_OPEN, "", "cancelled");
    take(batch, 0);
    pthread_create(&thread, NULL, cancel, &batch);
    pthread_join(thread, NULL);
    begin();
    add(CH_STEP_FILE, "", "late");
    int32_t status = take(batch, 0);
    check(status == 0 && result.done == 0 && access("late", F_OK) != 0,
          "nothing is made after a cancellation");
    ch_tree_batch_close(batch);
}

int main(void)
{
    uint64_t batch;

    if (mkdtemp(top) == NULL || chdir(top) != 0)
        return 1;
    check_run("mkdir %s.out %s.out/x && ln -s %s.out out", top, top, top);
    int rootfd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check(ch_tree_batch_open(rootfd, 0, &batch, &err) == 0, "a batch can be opened");
    test_order(batch);
    test_stops(batch);
    test_failure(batch);
    ch_tree_batch_cancel(batch);
    ch_tree_batch_close(batch);
    test_cancel(rootfd);
    close(rootfd);
    check_run("rm -rf %s %s.out", top, top);
    return check_failures != 0;
}
