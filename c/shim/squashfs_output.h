/* The file a SquashFS image is written to (output_file.h), as libsquashfs wants it. */
#ifndef CH_SQUASHFS_OUTPUT_H
#define CH_SQUASHFS_OUTPUT_H

#include <sqfs/io.h>

#include "error.h"

struct squashfs_output;

int squashfs_output_open(const char *path, int keep_existing, struct squashfs_output **out,
                         struct ch_error *err);
int squashfs_output_commit(struct squashfs_output *out, struct ch_error *err);
void squashfs_output_close(struct squashfs_output *out);

sqfs_file_t *squashfs_output_file(struct squashfs_output *out);
const char *squashfs_output_path(const struct squashfs_output *out);
/* Fills *ERR from CODE, which CALL has got from libsquashfs, and returns -errno. Most failures come
 * from what the image is written to. */
int squashfs_output_fail(const struct squashfs_output *out, int code, const char *call,
                         struct ch_error *err);

#endif
