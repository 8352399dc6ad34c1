/* Locks: c/shim/lock.c, ffi/lock.ts. */
#ifndef CH_API_LOCK_H
#define CH_API_LOCK_H

#include "base.h"

/* Lock the byte at OFFSET of the file PATH (made if need be), SHARED or for oneself, without
 * waiting: a descriptor that holds the lock, -EAGAIN or -EACCES if another one stands against it.
 */
CH_API int32_t ch_lock_acquire(const char *path, int64_t offset, uint32_t shared,
                               struct ch_error *err);
CH_API int32_t ch_lock_release(int32_t fd, struct ch_error *err);

#endif
