/* The build cache: c/shim/cache*.c, ffi/cache.ts.
 *
 * CACHEFD is the cache's directory, with `objects` and `states` in it; the name of a state is its
 * path below `states`. What is wrong with the cache itself is EBADMSG: "read cached state" with the
 * state's name, or "take cached file" with the path in the image. */
#ifndef CH_API_CACHE_H
#define CH_API_CACHE_H

#include "base.h"

#define CH_CACHE_XATTRS 1u /* user.* and POSIX ACLs count */
#define CH_CACHE_PRIVATE                                                                           \
    2u                      /* files may be written to in place: stored and checked out as copies  \
                             */
#define CH_CACHE_OVERLAY 4u /* what is committed is an overlay's upper directory */

struct ch_cache_commit_request {
    int32_t cachefd;
    int32_t workfd; /* a directory on the same file system; the state's file is left in it */
    int32_t fd;     /* the tree, or the upper directory */
    uint32_t flags;
    uint32_t path_count;
    uint32_t since_nsec; /* private trees: files whose status changed before are not read again */
    int64_t since;
    uint64_t large; /* bytes; files of that size and more get a name in LARGEFD as well, 0: none */
    int32_t largefd;
    int32_t reserved;
};
static_assert(sizeof(struct ch_cache_commit_request) == 48, "ffi/cache.ts writes this block");

struct ch_cache_commit_result {
    uint8_t digest[32];   /* of the tree: equal if everything in it is */
    uint8_t identity[32]; /* of a new tree: equal also if only times of directories differ */
    uint8_t trailer[32];  /* to be appended to the file, see c/shim/cache.h */
    uint64_t size;        /* of the file so far */
    uint64_t files_read;
    uint64_t new_objects;
    uint64_t new_bytes; /* in those */
    uint64_t directories_written;
    uint64_t notices; /* bytes used */
};
static_assert(sizeof(struct ch_cache_commit_result) == 144, "ffi/cache.ts reads this block");

/* Stores what became of state PARENT ("" for none) at and below PATHS (path_count of them, each
 * with its NUL; "" is all of the tree). NOTICES gets lines: "p PATH" for a mode that was made
 * sufficient, "s PATH" for a socket and "r PATH" for a file of RPM's that was removed. ENODEV for a
 * device. */
CH_API int32_t ch_cache_commit(const struct ch_cache_commit_request *request, const char *parent,
                               const char *paths, void *notices, uint32_t notices_capacity,
                               struct ch_cache_commit_result *result, struct ch_error *err);
/* TOFD becomes STATE: an empty directory, or one that is at state FROM (""for none). */
CH_API int32_t ch_cache_check_out(int32_t cachefd, const char *state, const char *from,
                                  int32_t tofd, uint32_t flags, struct ch_tree_counts *counts,
                                  struct ch_error *err);

/* Writes a record for everything in STATE to OUTFD, directories before what is in them: struct
 * cache_entry (c/shim/cache.h) with the path in the place of the name. */
CH_API int32_t ch_cache_list(int32_t cachefd, const char *state, int32_t outfd,
                             struct ch_error *err);

struct ch_cache_sweep_result {
    uint64_t kept;
    uint64_t kept_bytes;
    uint64_t removed;
    uint64_t freed; /* bytes on disk */
};
/* Removes the objects that none of STATES (COUNT of them) has. MEASURE: only counts those that one
 * has. */
CH_API int32_t ch_cache_sweep(int32_t cachefd, const char *states, uint32_t count, uint32_t measure,
                              struct ch_cache_sweep_result *result, struct ch_error *err);

struct ch_cache_size {
    uint64_t files; /* directories too */
    uint64_t bytes; /* on disk */
    uint64_t objects;
    uint64_t object_bytes; /* in them */
};
CH_API int32_t ch_cache_measure(int32_t cachefd, struct ch_cache_size *result,
                                struct ch_error *err);

#endif
