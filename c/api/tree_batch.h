/* Many changes of a tree in one call: c/shim/tree_batch.c, ffi/tree_batch.ts.
 *
 * A step has its texts as offsets in TEXTS. NAME is a single component in the directory PARENT, a
 * path below ROOTFD. What is in the way gives way, but a directory. */
#ifndef CH_API_TREE_BATCH_H
#define CH_API_TREE_BATCH_H

#include "base.h"

enum {
    CH_STEP_ENTER,     /* nothing, but PARENT must be there */
    CH_STEP_DIRECTORY, /* at least u+rwx; one that is there stays */
    CH_STEP_FILE,      /* SIZE bytes at DATA */
    CH_STEP_SYMLINK,
    CH_STEP_NODE,  /* MODE has the type bits; SIZE and OFFSET are the device's numbers */
    CH_STEP_LINK,  /* to the path TARGET below ROOTFD */
    CH_STEP_OPEN,  /* a file, which the next four kinds are about */
    CH_STEP_WRITE, /* SIZE bytes at DATA, to OFFSET */
    CH_STEP_COPY,  /* all SIZE bytes of the descriptor DATA */
    CH_STEP_XATTR, /* the attribute TARGET: SIZE bytes at DATA */
    CH_STEP_CLOSE,
    CH_STEP_RESOLVED = 256, /* added: a PARENT that cannot be opened is a failure */
};
struct ch_tree_step {
    uint64_t data; /* offset in DATA */
    uint64_t size;
    uint64_t offset;
    int64_t mtime;
    uint32_t mtime_nsec;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    uint32_t kind;
    uint32_t parent;
    uint32_t name;
    uint32_t target;
};
/* What the caller has to see to before the batch can go on. */
enum {
    CH_STOP_PARENT = 1, /* PARENT is not there, or not without following links */
    CH_STOP_OCCUPIED,   /* a directory is in the way */
    CH_STOP_TARGET,     /* a hard link that cannot be made just so */
};
struct ch_tree_batch_result {
    uint32_t done; /* so many steps; the next is the one that failed, or needs something */
    uint32_t stop; /* why it went no further, 0 if it is through */
    uint32_t lacks_xattrs;
};
/* OWNED: entries get UID and GID. */
CH_API int32_t ch_tree_batch_open(int32_t rootfd, int32_t owned, uint64_t *handle,
                                  struct ch_error *err);
/* Takes the steps FROM to COUNT. One call at a time. */
CH_API int32_t ch_tree_batch_run(uint64_t handle, const struct ch_tree_step *steps, uint32_t from,
                                 uint32_t count, const char *texts, const void *data,
                                 struct ch_tree_batch_result *result, struct ch_error *err);
/* From any thread: nothing is touched any more when this has returned, also by calls that are still
 * to begin. */
CH_API int32_t ch_tree_batch_cancel(uint64_t handle);
/* When no call is under way. */
CH_API int32_t ch_tree_batch_close(uint64_t handle);

#endif
