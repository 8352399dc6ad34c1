/* The FUSE protocol: requests read from /dev/fuse, answers written to it. */
#ifndef CH_FUSE_SESSION_H
#define CH_FUSE_SESSION_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <linux/fuse.h>

#include "../squashfs/reader.h"
#include "fuse_push.h"

/* The kernel refuses reads into less than 8 KiB; forgotten inodes come in batches that fill this.
 */
#define FUSE_INPUT_SIZE (64 << 10)
/* Of one answer that is not file content: the largest xattr, or a getdents(2) of the C library's.
 */
#define FUSE_OUTPUT_SIZE (128 << 10)

/* The most that is read at a time, also where pages are larger than 4 KiB: an answer holds that
 * much in the smallest of blocks. */
#define FUSE_READ_MAX (1 << 20)

/* What listings have to tell; see fuse_directory.c. */
struct fuse_habits {
    _Atomic uint64_t listed[512]; /* a bit for each directory listed without attributes */
    _Atomic int full;             /* that many listings more tell them */
};

struct fuse_session {
    struct sq *image;
    int fd;
    uint64_t root; /* inode reference */
    uint32_t kernel_flags;
    bool looks;             /* there is a processor to look for requests with */
    pthread_mutex_t turn;   /* of the one who waits for requests */
    struct fuse_push *push; /* NULL: nothing is pushed */
    struct fuse_habits habits;
};

struct fuse_request {
    struct fuse_session *session;
    const struct fuse_in_header *header;
    const void *body;
    size_t size; /* of the body */
    char *output;
};

/* Answers requests with THREADS threads, this one included, until the connection ends. LOOKS: they
 * may keep a processor busy for moments to see requests sooner. */
void fuse_session_run(struct sq *image, int fd, unsigned threads, bool looks);

/* --- fuse_operations.c, fuse_directory.c, fuse_xattr.c --- */

void fuse_answer(struct fuse_request *request);
/* The inode that the request is about. */
int fuse_read_node(const struct fuse_request *request, struct sq_inode *inode);
uint64_t fuse_node_of(const struct fuse_session *session, uint64_t ref);
void fuse_fill_entry(const struct fuse_session *session, const struct sq_inode *inode,
                     struct fuse_entry_out *out);

void fuse_do_opendir(struct fuse_request *request);
void fuse_do_readdir(struct fuse_request *request, bool plus);
/* Somebody has asked for what DIR has by that name. */
void fuse_after_lookup(struct fuse_session *session, const struct sq_inode *dir,
                       const struct sq_inode *found);
/* A file is being read. */
void fuse_after_read(struct fuse_session *session);
void fuse_do_getxattr(struct fuse_request *request);
void fuse_do_listxattr(struct fuse_request *request);

/* --- answers, each request has exactly one --- */

void fuse_reply_error(const struct fuse_request *request, int errnum);
void fuse_reply(const struct fuse_request *request, const void *data, size_t size);
/* PARTS[0] is the header's, to be filled here. */
void fuse_reply_parts(const struct fuse_request *request, struct iovec *parts, int count);

#endif
