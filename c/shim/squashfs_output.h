/* The file a SquashFS image is written to, as libsquashfs wants it: without a name, or with a
 * temporary one where the file system cannot do that, until it is complete. */
#ifndef CH_SQUASHFS_OUTPUT_H
#define CH_SQUASHFS_OUTPUT_H

#include <sqfs/io.h>

#include "error.h"

struct squashfs_output;

/* Opens what will become PATH. Its directory must exist. */
int squashfs_output_open(const char *path, struct squashfs_output **out, struct ch_error *err);
/* Gives the file its name, replacing one that is there. Everything is on the disk then. */
int squashfs_output_commit(struct squashfs_output *out, struct ch_error *err);
/* Leaves nothing behind unless it was committed. OUT may be NULL. */
void squashfs_output_close(struct squashfs_output *out);

sqfs_file_t *squashfs_output_file(struct squashfs_output *out);
const char *squashfs_output_path(const struct squashfs_output *out);
/* Why the last operation failed, which libsquashfs does not tell. */
int squashfs_output_errno(const struct squashfs_output *out);

#endif
