/* Compressors as libsquashfs wants them: its own, and others where those are slow (gzip),
 * not there (lzo) or wrong (lz4). */
#ifndef CH_SQUASHFS_COMPRESSOR_H
#define CH_SQUASHFS_COMPRESSOR_H

#include <sqfs/compressor.h>

struct ch_squashfs_settings;

/* What compresses blocks as SETTINGS ask for. Returns 0 or an error of libsquashfs'. */
int squashfs_compressor_create(const struct ch_squashfs_settings *settings,
                               sqfs_compressor_t **compressor);

#endif
