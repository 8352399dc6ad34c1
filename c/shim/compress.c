/* Compressing one piece of data by itself. In all four formats such pieces may follow one another
 * (gzip members, RFC 1952 2.2; bzip2 and xz streams; zstd frames, RFC 8878 3.1), so that a file's
 * pieces can be made on all cores at once. Neither names nor times: the same data gives the same
 * bytes. */
#include <bzlib.h>
#include <libdeflate.h>
#include <lzma.h>
#include <zstd.h>

#include "ch.h"
#include "deflate.h"

/* As for decoders. */
enum kind { KIND_GZIP = 1, KIND_BZIP2, KIND_XZ, KIND_ZSTD };

int32_t ch_compress_bound(int32_t kind, uint64_t in_size, uint64_t *bound, struct ch_error *err)
{
    switch ((enum kind)kind) {
    case KIND_GZIP:
        *bound = libdeflate_gzip_compress_bound(NULL, in_size);
        if (*bound < deflate_bound(in_size))
            *bound = deflate_bound(in_size);
        return 0;
    case KIND_BZIP2: /* libbz2's manual: 1 % and 600 bytes more */
        *bound = in_size + in_size / 100 + 601;
        return 0;
    case KIND_XZ:
        *bound = lzma_stream_buffer_bound(in_size);
        return 0;
    case KIND_ZSTD:
        *bound = ZSTD_compressBound(in_size);
        return 0;
    }
    return CH_FAIL_WITH(err, EINVAL, "compress", "kind %d", kind);
}

/* Level 1 is our own: as small as libdeflate's, in three fifths of its time. */
static int fast_gzip(const void *in, size_t in_size, void *out, size_t out_size, uint64_t *produced,
                     struct ch_error *err)
{
    struct deflate *d = deflate_new();
    if (d == NULL)
        return CH_FAIL_WITH(err, ENOMEM, "gzip", "level %d", 1);
    if (in == NULL) /* of no data */
        in = "";
    *produced = deflate_gzip(d, in, in_size, out, out_size);
    deflate_free(d);
    return *produced == 0 ? CH_FAIL_WITH(err, ENOSPC, "gzip", "%s", "") : 0;
}

static int gzip(int32_t level, const void *in, size_t in_size, void *out, size_t out_size,
                uint64_t *produced, struct ch_error *err)
{
    if (level == 1)
        return fast_gzip(in, in_size, out, out_size, produced, err);
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(level);
    if (c == NULL)
        return CH_FAIL_WITH(err, level < 0 || level > 12 ? EINVAL : ENOMEM, "gzip", "level %d",
                            level);
    *produced = libdeflate_gzip_compress(c, in, in_size, out, out_size);
    libdeflate_free_compressor(c);
    return *produced == 0 ? CH_FAIL_WITH(err, ENOSPC, "gzip", "%s", "") : 0;
}

static int bzip2(int32_t level, const void *in, size_t in_size, void *out, size_t out_size,
                 uint64_t *produced, struct ch_error *err)
{
    if (in_size > UINT32_MAX || out_size > UINT32_MAX)
        return CH_FAIL_WITH(err, EFBIG, "bzip2", "%s", "");
    if (in == NULL) /* libbz2 does not take it, even for nothing */
        in = "";
    unsigned made = (unsigned)out_size;
    int result =
        BZ2_bzBuffToBuffCompress(out, &made, (char *)(uintptr_t)in, (unsigned)in_size, level, 0, 0);
    if (result != BZ_OK)
        return CH_FAIL_WITH(err, result == BZ_PARAM_ERROR ? EINVAL : ENOMEM, "bzip2", "level %d",
                            level);
    *produced = made;
    return 0;
}

static int xz(int32_t level, const void *in, size_t in_size, void *out, size_t out_size,
              uint64_t *produced, struct ch_error *err)
{
    size_t made = 0;
    lzma_ret result = lzma_easy_buffer_encode((uint32_t)level, LZMA_CHECK_CRC64, NULL, in, in_size,
                                              out, &made, out_size);
    if (result != LZMA_OK)
        return CH_FAIL_WITH(err, result == LZMA_OPTIONS_ERROR ? EINVAL : ENOMEM, "xz", "level %d",
                            level);
    *produced = made;
    return 0;
}

static int zstd(int32_t level, const void *in, size_t in_size, void *out, size_t out_size,
                uint64_t *produced, struct ch_error *err)
{
    if (level < 1 || level > ZSTD_maxCLevel())
        return CH_FAIL_WITH(err, EINVAL, "zstd", "level %d", level);
    ZSTD_CCtx *c = ZSTD_createCCtx();
    if (c == NULL)
        return CH_FAIL_WITH(err, ENOMEM, "zstd", "level %d", level);
    ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    size_t made = ZSTD_compress2(c, out, out_size, in, in_size);
    ZSTD_freeCCtx(c);
    if (ZSTD_isError(made))
        return CH_FAIL_WITH(err, ENOMEM, "zstd", "%s", ZSTD_getErrorName(made));
    *produced = made;
    return 0;
}

int32_t ch_compress(int32_t kind, int32_t level, const void *in, uint64_t in_size, void *out,
                    uint64_t out_size, uint64_t *produced, struct ch_error *err)
{
    switch ((enum kind)kind) {
    case KIND_GZIP:
        return gzip(level, in, in_size, out, out_size, produced, err);
    case KIND_BZIP2:
        return bzip2(level, in, in_size, out, out_size, produced, err);
    case KIND_XZ:
        return xz(level, in, in_size, out, out_size, produced, err);
    case KIND_ZSTD:
        return zstd(level, in, in_size, out, out_size, produced, err);
    }
    return CH_FAIL_WITH(err, EINVAL, "compress", "kind %d", kind);
}
