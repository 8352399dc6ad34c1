/* Content that nobody has asked for yet, put into the kernel's page cache by FUSE_NOTIFY_STORE: a
 * program then finds it there instead of waiting for us. */
#ifndef CH_FUSE_PUSH_H
#define CH_FUSE_PUSH_H

#include <stddef.h>
#include <stdint.h>

#include "../squashfs/reader.h"

struct fuse_session;
struct fuse_push;

/* Starts THREADS threads. NULL if there can be none. */
struct fuse_push *fuse_push_start(struct fuse_session *session, unsigned threads);

/* Guesses from the read that has just been answered what will be wanted next, and lets the threads
 * push it. */
void fuse_push_after_read(struct fuse_push *push, const struct sq_inode *inode, uint64_t offset,
                          size_t size);

#endif
