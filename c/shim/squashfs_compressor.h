/* Compressors for libsquashfs' block processor: its own, and others where those are slow (gzip),
 * not there (lzo) or wrong (lz4). */
#ifndef CH_SQUASHFS_COMPRESSOR_H
#define CH_SQUASHFS_COMPRESSOR_H

#include <sqfs/compressor.h>

struct ch_squashfs_settings;

/* What compresses blocks as SETTINGS ask for, and what reads them again. Returns 0 or an error of
 * libsquashfs'; what was made is then the caller's all the same, to be destroyed. */
int squashfs_compressors_create(const struct ch_squashfs_settings *settings,
                                sqfs_compressor_t **compressor, sqfs_compressor_t **decompressor);

#endif
