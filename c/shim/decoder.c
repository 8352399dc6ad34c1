/* Streams of compressed data, from pieces of any size to pieces of any size: gzip, bzip2, xz, zstd
 * and lz4 are decoded, gzip is written. What lies behind a complete stream is the same for all:
 * another stream, zero padding, or an error. */
#include "ch.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "inflate.h"

/* What a window of the largest sensible xz and zstd dictionaries takes; beyond that data is refused
 * rather than the machine brought to its knees. */
#define MEMORY_LIMIT (2048ull << 20)
#define ZSTD_WINDOW_LOG 31

enum kind { KIND_GZIP = 1, KIND_BZIP2 = 2, KIND_XZ = 3, KIND_ZSTD = 4, KIND_LZ4 = 5 };

/* Read by ffi/codec.ts. */
enum status { STATUS_INPUT = 0, STATUS_OUTPUT = 1, STATUS_BETWEEN = 2 };

struct ch_decoder {
    enum kind kind;
    bool inside; /* between streams otherwise */
    const char *reason;
    struct inflate *gzip;
    bz_stream bzip2;
    lzma_stream xz;
    ZSTD_DStream *zstd;
    LZ4F_dctx *lz4;
};

static_assert(sizeof(struct ch_decoder_progress) == 24, "ffi/codec.ts reads this");

static void free_decoder(struct ch_decoder *d)
{
    if (d == NULL)
        return;
    switch (d->kind) {
    case KIND_GZIP:
        inflate_free(d->gzip);
        break;
    case KIND_BZIP2:
        if (d->inside)
            BZ2_bzDecompressEnd(&d->bzip2);
        break;
    case KIND_XZ:
        lzma_end(&d->xz);
        break;
    case KIND_ZSTD:
        ZSTD_freeDStream(d->zstd);
        break;
    case KIND_LZ4:
        LZ4F_freeDecompressionContext(d->lz4);
        break;
    }
    free(d);
}

/* Ready for the first byte of a stream; false if there is no memory. */
static bool begin_stream(struct ch_decoder *d)
{
    switch (d->kind) {
    case KIND_GZIP:
        if (d->gzip == NULL)
            d->gzip = inflate_new();
        d->inside = d->gzip != NULL;
        break;
    case KIND_BZIP2:
        memset(&d->bzip2, 0, sizeof(d->bzip2));
        d->inside = BZ2_bzDecompressInit(&d->bzip2, 0, 0) == BZ_OK;
        break;
    case KIND_XZ:
        d->inside =
            lzma_stream_decoder(&d->xz, MEMORY_LIMIT, LZMA_TELL_UNSUPPORTED_CHECK) == LZMA_OK;
        break;
    case KIND_ZSTD:
        if (d->zstd == NULL)
            d->zstd = ZSTD_createDStream();
        d->inside =
            d->zstd != NULL && !ZSTD_isError(ZSTD_initDStream(d->zstd)) &&
            !ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
        break;
    case KIND_LZ4:
        if (d->lz4 == NULL && LZ4F_isError(LZ4F_createDecompressionContext(&d->lz4, LZ4F_VERSION)))
            d->lz4 = NULL;
        d->inside = d->lz4 != NULL;
        break;
    }
    return d->inside;
}

/* Decoding some: moves *IN and *OUT on; true at the end of the stream. Wrong data sets d->reason.
 */
static bool run_bzip2(struct ch_decoder *d, const uint8_t **in, const uint8_t *in_end,
                      uint8_t **out, uint8_t *out_end)
{
    bz_stream *s = &d->bzip2;
    s->next_in = (char *)*in;
    s->avail_in = (unsigned)(in_end - *in);
    s->next_out = (char *)*out;
    s->avail_out = (unsigned)(out_end - *out);
    int result = BZ2_bzDecompress(s);
    *in = (const uint8_t *)s->next_in;
    *out = (uint8_t *)s->next_out;
    if (result == BZ_STREAM_END) {
        BZ2_bzDecompressEnd(s);
        return true;
    }
    if (result == BZ_MEM_ERROR)
        d->reason = "not enough memory";
    else if (result == BZ_DATA_ERROR_MAGIC)
        d->reason = "not bzip2 data";
    else if (result != BZ_OK)
        d->reason = "invalid bzip2 data";
    return false;
}

static bool run_xz(struct ch_decoder *d, const uint8_t **in, const uint8_t *in_end, uint8_t **out,
                   uint8_t *out_end)
{
    lzma_stream *s = &d->xz;
    s->next_in = *in;
    s->avail_in = (size_t)(in_end - *in);
    s->next_out = *out;
    s->avail_out = (size_t)(out_end - *out);
    lzma_ret result = lzma_code(s, LZMA_RUN);
    *in = s->next_in;
    *out = s->next_out;
    switch (result) {
    case LZMA_OK:
    case LZMA_BUF_ERROR: /* no progress possible now: the caller's loop knows which side lacks room
                          */
        break;
    case LZMA_STREAM_END:
        return true;
    case LZMA_MEM_ERROR:
        d->reason = "not enough memory";
        break;
    case LZMA_MEMLIMIT_ERROR:
        d->reason = "xz data needs more than 2 GiB of memory";
        break;
    case LZMA_FORMAT_ERROR:
        d->reason = "not xz data";
        break;
    case LZMA_OPTIONS_ERROR:
    case LZMA_UNSUPPORTED_CHECK:
        d->reason = "xz data with unsupported options";
        break;
    default:
        d->reason = "invalid xz data";
    }
    return false;
}

static bool run_zstd(struct ch_decoder *d, const uint8_t **in, const uint8_t *in_end, uint8_t **out,
                     uint8_t *out_end)
{
    ZSTD_inBuffer source = {*in, (size_t)(in_end - *in), 0};
    ZSTD_outBuffer target = {*out, (size_t)(out_end - *out), 0};
    size_t result = ZSTD_decompressStream(d->zstd, &target, &source);
    *in += source.pos;
    *out += target.pos;
    if (ZSTD_isError(result)) {
        d->reason = ZSTD_getErrorName(result);
        return false;
    }
    return result == 0;
}

static bool run_lz4(struct ch_decoder *d, const uint8_t **in, const uint8_t *in_end, uint8_t **out,
                    uint8_t *out_end)
{
    size_t used = (size_t)(in_end - *in), made = (size_t)(out_end - *out);
    size_t result = LZ4F_decompress(d->lz4, *out, &made, *in, &used, NULL);
    if (LZ4F_isError(result)) {
        d->reason = LZ4F_getErrorName(result);
        return false;
    }
    *in += used;
    *out += made;
    return result == 0;
}

static bool run_stream(struct ch_decoder *d, const uint8_t **in, const uint8_t *in_end,
                       uint8_t **out, uint8_t *out_end)
{
    switch (d->kind) {
    case KIND_BZIP2:
        return run_bzip2(d, in, in_end, out, out_end);
    case KIND_XZ:
        return run_xz(d, in, in_end, out, out_end);
    case KIND_ZSTD:
        return run_zstd(d, in, in_end, out, out_end);
    case KIND_LZ4:
        return run_lz4(d, in, in_end, out, out_end);
    case KIND_GZIP: /* goes from member to member itself */
        break;
    }
    return false;
}

/* First byte of another stream of the same kind? zstd and lz4 also have frames to skip, 0x50 to
 * 0x5f. */
static bool starts_stream(enum kind kind, uint8_t byte)
{
    switch (kind) {
    case KIND_BZIP2:
        return byte == 'B';
    case KIND_XZ:
        return byte == 0xfd;
    case KIND_ZSTD:
        return byte == 0x28 || (byte & 0xf0) == 0x50;
    case KIND_LZ4:
        return byte == 0x04 || (byte & 0xf0) == 0x50;
    case KIND_GZIP:
        break;
    }
    return false;
}

static enum status run_gzip(struct ch_decoder *d, const uint8_t **in, const uint8_t *in_end,
                            uint8_t **out, uint8_t *out_end)
{
    switch (inflate_run(d->gzip, in, in_end, out, out_end)) {
    case INFLATE_INPUT:
        return STATUS_INPUT;
    case INFLATE_OUTPUT:
        return STATUS_OUTPUT;
    case INFLATE_BETWEEN:
        return STATUS_BETWEEN;
    case INFLATE_ERROR:
        break;
    }
    d->reason = inflate_reason(d->gzip);
    return STATUS_INPUT;
}

static enum status run_streams(struct ch_decoder *d, const uint8_t **in, const uint8_t *in_end,
                               uint8_t **out, uint8_t *out_end)
{
    for (;;) {
        while (!d->inside) {
            if (*in == in_end)
                return STATUS_BETWEEN;
            if (starts_stream(d->kind, **in)) {
                if (!begin_stream(d)) {
                    d->reason = "not enough memory";
                    return STATUS_INPUT;
                }
            } else if (*(*in)++ != 0) {
                d->reason = "trailing garbage after compressed data";
                return STATUS_INPUT;
            }
        }
        const uint8_t *in_before = *in;
        uint8_t *out_before = *out;
        d->inside = !run_stream(d, in, in_end, out, out_end);
        if (d->reason != NULL)
            return STATUS_INPUT;
        if (!d->inside)
            continue;
        if (*out == out_end)
            return STATUS_OUTPUT;
        if (*in == in_end && *out == out_before)
            return STATUS_INPUT;
        if (*in == in_before && *out == out_before) {
            d->reason = "invalid compressed data";
            return STATUS_INPUT;
        }
    }
}

int32_t ch_decoder_open(int32_t kind, uint64_t *handle, struct ch_error *err)
{
    struct ch_decoder *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return CH_FAIL(err, "calloc", "%s", "decoder");
    d->kind = (enum kind)kind;
    if (!begin_stream(d)) {
        free_decoder(d);
        return CH_FAIL_WITH(err, ENOMEM, "decoder", "kind %d", kind);
    }
    *handle = (uint64_t)(uintptr_t)d;
    return 0;
}

int32_t ch_decoder_run(uint64_t handle, const void *in, uint64_t in_size, void *out,
                       uint64_t out_size, struct ch_decoder_progress *progress,
                       struct ch_error *err)
{
    struct ch_decoder *d = (struct ch_decoder *)(uintptr_t)handle;
    const uint8_t *at = in, *in_end = at + in_size;
    uint8_t *to = out, *out_end = to + out_size;

    enum status status = d->kind == KIND_GZIP ? run_gzip(d, &at, in_end, &to, out_end)
                                              : run_streams(d, &at, in_end, &to, out_end);
    progress->consumed = (uint64_t)(at - (const uint8_t *)in);
    progress->produced = (uint64_t)(to - (uint8_t *)out);
    progress->status = status;
    if (d->reason != NULL)
        return CH_FAIL_WITH(err, 0, "decompress", "%s", d->reason);
    return 0;
}

int32_t ch_decoder_close(uint64_t handle)
{
    free_decoder((struct ch_decoder *)(uintptr_t)handle);
    return 0;
}
