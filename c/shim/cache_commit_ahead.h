/* Digests of files that a commit will come to, computed by other threads. They go through the tree
 * backwards, so that both meet. */
#ifndef CH_CACHE_COMMIT_AHEAD_H
#define CH_CACHE_COMMIT_AHEAD_H

#include "cache_commit.h"

struct ahead;

/* ROOTFD stays open until the end. NULL if there is no processor for it, or no thread to be had. */
struct ahead *ahead_start(int rootfd);
/* Is the digest of the file ST known? If not, nobody else will compute it any more. */
bool ahead_take(struct ahead *ahead, const struct stat *st, uint8_t digest[SHA256_SIZE]);
/* AHEAD may be NULL. */
void ahead_end(struct ahead *ahead);

#endif
