/* Paths of the host: c/shim/path.c, ffi/path.ts.
 *
 * As the caller names them: absolute, or relative to the working directory. Results with text go to
 * BUFFER without a NUL; the value is their length, -ERANGE if CAPACITY is too small. */
#ifndef CH_API_PATH_H
#define CH_API_PATH_H

#include "base.h"

/* What becomes of links. CH_LINKS_REFUSE: the path is absolute, and a link on the way to its last
 * component is ELOOP, which is for files of images that somebody else may be changing. */
enum ch_links { CH_LINKS_KEEP = 0, CH_LINKS_FOLLOW = 1, CH_LINKS_REFUSE = 2 };

/* File mode with the type bits; of a link itself unless it is followed. */
CH_API int32_t ch_path_mode(const char *path, int32_t links, struct ch_error *err);
CH_API int32_t ch_path_real(const char *path, char *buffer, uint32_t capacity,
                            struct ch_error *err);
CH_API int32_t ch_path_readlink(const char *path, int32_t links, char *buffer, uint32_t capacity,
                                struct ch_error *err);
/* Inode number, and seconds and nanoseconds of birth, 0 where the file system keeps none; links are
 * followed. */
CH_API int32_t ch_path_identity(const char *path, uint64_t out[3], struct ch_error *err);
/* An extended attribute's value, not of what a link leads to. */
CH_API int32_t ch_path_xattr(const char *path, const char *name, char *buffer, uint32_t capacity,
                             struct ch_error *err);
/* Names in a directory but for "." and "..", each with a NUL behind it, in no order. */
CH_API int32_t ch_path_list(const char *path, char *buffer, uint32_t capacity,
                            struct ch_error *err);
/* For reading, whatever the type; where links are refused, regular files only, else EINVAL. */
CH_API int32_t ch_path_open(const char *path, int32_t links, struct ch_error *err);
/* 0 at the end. PATH is for the error. */
CH_API int32_t ch_path_read(int32_t fd, void *buffer, uint32_t capacity, const char *path,
                            struct ch_error *err);
CH_API int32_t ch_path_close(int32_t fd);

#endif
