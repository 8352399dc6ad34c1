/* What parts of the SquashFS writer know of each other. */
#ifndef CH_SQUASHFS_WRITER_H
#define CH_SQUASHFS_WRITER_H

#include <stdint.h>

/* Reading the content of a file fails with ECANCELED when *STOP is not 0; NULL: it does not. */
void squashfs_writer_watch(uint64_t handle, const uint64_t *stop);

#endif
