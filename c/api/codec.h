/* Compression: c/shim/{decoder,compress,input_file}.c, ffi/codec.ts. */
#ifndef CH_API_CODEC_H
#define CH_API_CODEC_H

#include "base.h"

struct ch_decoder_progress {
    uint64_t consumed; /* bytes of the input used */
    uint64_t produced; /* bytes of output made */
    uint64_t status;   /* 0 wants input, 1 wants room for output, 2 between streams: may end here */
};

/* A decoder of KIND: 1 gzip, 2 bzip2, 3 xz, 4 zstd, 5 lz4. The data of a decoder is run by one call
 * at a time; wrong data is an error without errno whose path is the reason. */
CH_API int32_t ch_decoder_open(int32_t kind, uint64_t *handle, struct ch_error *err);
CH_API int32_t ch_decoder_run(uint64_t handle, const void *in, uint64_t in_size, void *out,
                              uint64_t out_size, struct ch_decoder_progress *progress,
                              struct ch_error *err);
CH_API int32_t ch_decoder_close(uint64_t handle);
/* One piece by itself, of KIND 1 to 4; pieces may follow one another. Levels: gzip 0 to 12, bzip2 1
 * to 9, xz 0 to 9, zstd 1 to 22. */
CH_API int32_t ch_compress_bound(int32_t kind, uint64_t in_size, uint64_t *bound,
                                 struct ch_error *err);
CH_API int32_t ch_compress(int32_t kind, int32_t level, const void *in, uint64_t in_size, void *out,
                           uint64_t out_size, uint64_t *produced, struct ch_error *err);
/* Reading a file of the host from OFFSET on, off the main thread: as many bytes as there are.
 */
CH_API int32_t ch_input_open(const char *path, uint64_t offset, struct ch_error *err);
CH_API int32_t ch_input_read(int32_t fd, void *buffer, uint64_t size, struct ch_error *err);
CH_API int32_t ch_input_close(int32_t fd);

#endif
