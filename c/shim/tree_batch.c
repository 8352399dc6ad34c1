/* Many things in an image tree, made one after the other in one call, by another thread. What would
 * take a decision is left to the caller: a step that cannot be taken as it stands stops the batch.
 */
#include "tree.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static_assert(sizeof(struct ch_tree_step) == 64, "ffi/tree_batch.ts packs this");
static_assert(sizeof(struct ch_tree_batch_result) == 12, "ffi/tree_batch.ts reads this");

struct batch {
    int rootfd;
    bool owned; /* entries get their owners */
    int file;   /* between CH_STEP_OPEN and CH_STEP_CLOSE, else -1 */
    pthread_mutex_t running;
    atomic_bool cancelled;
};

/* Of one call. */
struct run {
    struct batch *batch;
    const char *texts;
    const char *data;
    struct ch_tree_batch_result *result;
    struct ch_error *err;
    int dirfd;       /* the directory PARENT, -1 before the first */
    uint32_t parent; /* in TEXTS */
};

static void end_run(const struct run *run)
{
    tree_close_fd(&run->dirfd);
    pthread_mutex_unlock(&run->batch->running);
}

static int stop(const struct run *run, uint32_t why)
{
    run->result->stop = why;
    return 0;
}

static int fail(const struct run *run, const struct ch_tree_step *step, const char *call)
{
    return CH_FAIL(run->err, call, "%s", run->texts + step->name);
}

/* Returns what the system call does: -1 and errno. */
typedef int make_function(const struct run *run, const struct ch_tree_step *step, const char *name);

/* Calls MAKE; a second time if something in the way could be removed. What MAKE returned is in
 * MADE, unless the batch stops because a directory is in the way: what else is known of it has to
 * be forgotten, too. */
static int replace(const struct run *run, const struct ch_tree_step *step, const char *call,
                   make_function *make, int *made)
{
    const char *name = run->texts + step->name;

    if ((*made = make(run, step, name)) < 0 && errno == EEXIST) {
        if (unlinkat(run->dirfd, name, 0) != 0)
            return errno == EISDIR ? stop(run, CH_STOP_OCCUPIED) : fail(run, step, "unlinkat");
        *made = make(run, step, name);
    }
    return *made < 0 ? fail(run, step, call) : 0;
}

static int make_directory(const struct run *run, const struct ch_tree_step *step, const char *name)
{
    struct stat st;

    if (mkdirat(run->dirfd, name, (step->mode & 0777) | 0700) != 0 &&
        (errno != EEXIST || tree_stat_at(run->dirfd, name, &st) != 0 || !S_ISDIR(st.st_mode)))
        return -1;
    /* The umask, or what the directory was before, may keep us from filling it. */
    if (tree_stat_at(run->dirfd, name, &st) != 0)
        return -1;
    return (st.st_mode & 0700) == 0700
               ? 0
               : tree_chmod_at(run->dirfd, name, (st.st_mode & 07777) | 0700);
}

static int make_file(const struct run *run, const struct ch_tree_step *step, const char *name)
{
    /* Mostly that is the mode already, and need not be set again. */
    return openat(run->dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  step->mode & 0777);
}

static int make_symlink(const struct run *run, const struct ch_tree_step *step, const char *name)
{
    return symlinkat(run->texts + step->target, run->dirfd, name);
}

static int make_node(const struct run *run, const struct ch_tree_step *step, const char *name)
{
    dev_t device = makedev((unsigned)step->size, (unsigned)step->offset);

    if (syscall(SYS_mknodat, run->dirfd, name, step->mode, device) != 0)
        return -1;
    return tree_chmod_at(run->dirfd, name, step->mode & 07777);
}

/* Of what is no file and no directory. */
static int describe(const struct run *run, const struct ch_tree_step *step)
{
    const char *name = run->texts + step->name;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                {.tv_sec = step->mtime, .tv_nsec = step->mtime_nsec}};

    if (run->batch->owned &&
        fchownat(run->dirfd, name, step->uid, step->gid, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(run, step, "fchownat");
    if (utimensat(run->dirfd, name, times, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(run, step, "utimensat");
    return 0;
}

/* The target is reached without following links, or by the caller. */
static int link_file(const struct run *run, const struct ch_tree_step *step)
{
    const char *name = run->texts + step->name;
    struct stat target, there;
    TREE_PARENT from;

    if (tree_find_parent(run->batch->rootfd, run->texts + step->target, &from) != 0 ||
        from.name[0] == '\0' || tree_stat_at(from.fd, from.name, &target) != 0 ||
        S_ISDIR(target.st_mode))
        return stop(run, CH_STOP_TARGET);
    if (linkat(from.fd, from.name, run->dirfd, name, 0) == 0)
        return 0;
    if (errno == EEXIST && tree_stat_at(run->dirfd, name, &there) == 0) {
        if (there.st_ino == target.st_ino && there.st_dev == target.st_dev)
            return 0;
        if (S_ISDIR(there.st_mode))
            return stop(run, CH_STOP_OCCUPIED);
        if (unlinkat(run->dirfd, name, 0) == 0 &&
            linkat(from.fd, from.name, run->dirfd, name, 0) == 0)
            return 0;
    }
    /* Links may be too many, or not to be had at all. */
    return stop(run, CH_STOP_TARGET);
}

/* The owner before the mode, which it clears. */
static int finish_file(const struct run *run, const struct ch_tree_step *step, int fd)
{
    if (run->batch->owned && fchown(fd, step->uid, step->gid) != 0)
        return fail(run, step, "fchown");
    return ch_tree_finish_file(fd, step->size, step->mode, step->mtime, step->mtime_nsec, run->err);
}

static int put_file(const struct run *run, const struct ch_tree_step *step)
{
    TREE_CLOSE int fd = -1;

    int result = replace(run, step, "openat", make_file, &fd);
    if (result < 0 || run->result->stop != 0)
        return result;
    result = ch_tree_write(fd, run->data + step->data, (uint32_t)step->size, 0, run->err);
    return result < 0 ? result : finish_file(run, step, fd);
}

static int set_xattr(const struct run *run, const struct ch_tree_step *step)
{
    if (run->result->lacks_xattrs || fsetxattr(run->batch->file, run->texts + step->target,
                                               run->data + step->data, (size_t)step->size, 0) == 0)
        return 0;
    if (errno != EOPNOTSUPP)
        return fail(run, step, "setxattr");
    run->result->lacks_xattrs = 1;
    return 0;
}

static int close_file(const struct run *run, const struct ch_tree_step *step)
{
    int result = finish_file(run, step, run->batch->file);

    tree_close_fd(&run->batch->file);
    run->batch->file = -1;
    return result;
}

/* The directory that a step is about; the next is mostly about the same. */
static int enter_parent(struct run *run, const struct ch_tree_step *step)
{
    if (run->dirfd >= 0 && run->parent == step->parent)
        return 0;
    tree_close_fd(&run->dirfd);
    run->dirfd =
        tree_open_beneath(run->batch->rootfd, run->texts + step->parent, TREE_LOOK | O_DIRECTORY);
    run->parent = step->parent;
    if (run->dirfd >= 0)
        return 0;
    /* It is not there, or there are links on the way. */
    if ((step->kind & CH_STEP_RESOLVED) == 0)
        return stop(run, CH_STOP_PARENT);
    return CH_FAIL(run->err, "openat", "%s", run->texts + step->parent);
}

static int take(struct run *run, const struct ch_tree_step *step)
{
    int made, result = enter_parent(run, step);
    if (result < 0 || run->result->stop != 0)
        return result;
    switch (step->kind & ~CH_STEP_RESOLVED) {
    case CH_STEP_ENTER:
        return 0;
    case CH_STEP_DIRECTORY:
        return replace(run, step, "mkdirat", make_directory, &made);
    case CH_STEP_FILE:
        return put_file(run, step);
    case CH_STEP_SYMLINK:
        result = replace(run, step, "symlinkat", make_symlink, &made);
        break;
    case CH_STEP_NODE:
        result = replace(run, step, "mknodat", make_node, &made);
        break;
    case CH_STEP_LINK:
        return link_file(run, step);
    case CH_STEP_OPEN:
        return replace(run, step, "openat", make_file, &run->batch->file);
    case CH_STEP_WRITE:
        return ch_tree_write(run->batch->file, run->data + step->data, (uint32_t)step->size,
                             (int64_t)step->offset, run->err);
    case CH_STEP_COPY:
        return ch_tree_copy_data((int)step->data, run->batch->file, step->size, run->err);
    case CH_STEP_XATTR:
        return set_xattr(run, step);
    case CH_STEP_CLOSE:
        return close_file(run, step);
    default:
        return CH_FAIL_WITH(run->err, EINVAL, "batch", "%s", "");
    }
    return result < 0 || run->result->stop != 0 ? result : describe(run, step);
}

int32_t ch_tree_batch_open(int32_t rootfd, int32_t owned, uint64_t *handle, struct ch_error *err)
{
    struct batch *batch = calloc(1, sizeof(*batch));

    if (batch == NULL)
        return CH_FAIL(err, "calloc", "%s", "");
    batch->rootfd = rootfd;
    batch->owned = owned != 0;
    batch->file = -1;
    pthread_mutex_init(&batch->running, NULL);
    *handle = (uint64_t)(uintptr_t)batch;
    return 0;
}

int32_t ch_tree_batch_run(uint64_t handle, const struct ch_tree_step *steps, uint32_t from,
                          uint32_t count, const char *texts, const void *data,
                          struct ch_tree_batch_result *result, struct ch_error *err)
{
    __attribute__((cleanup(end_run))) struct run run = {
        .batch = (struct batch *)(uintptr_t)handle,
        .texts = texts,
        .data = data,
        .result = result,
        .err = err,
        .dirfd = -1,
    };

    pthread_mutex_lock(&run.batch->running);
    *result = (struct ch_tree_batch_result){.done = from};
    for (; result->done < count && !run.batch->cancelled; result->done++) {
        int failed = take(&run, &steps[result->done]);
        if (failed < 0)
            return failed;
        if (result->stop != 0)
            break;
    }
    return 0;
}

int32_t ch_tree_batch_cancel(uint64_t handle)
{
    struct batch *batch = (struct batch *)(uintptr_t)handle;

    batch->cancelled = true;
    pthread_mutex_lock(&batch->running);
    tree_close_fd(&batch->file);
    batch->file = -1;
    pthread_mutex_unlock(&batch->running);
    return 0;
}

int32_t ch_tree_batch_close(uint64_t handle)
{
    struct batch *batch = (struct batch *)(uintptr_t)handle;

    pthread_mutex_destroy(&batch->running);
    free(batch);
    return 0;
}
