/* gzip (zlib's format), lzma, lzo, xz, lz4, zstd. */
#include "decompressor.h"

#include <libdeflate.h>
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <pthread.h>
#include <stdlib.h>
#include <zstd.h>

/* Dictionaries of xz are as large as a block, 1 MiB at most; a header that wants more is hostile.
 */
#define LZMA_MEMORY (16u << 20)

struct compressor {
    const char *name;
    void *(*open)(void); /* NULL: no context */
    void (*close)(void *codec);
    int64_t (*decompress)(void *codec, const uint8_t *in, size_t in_size, uint8_t *out,
                          size_t capacity);
};

struct sq_decompressor {
    const struct compressor *compressor;
    size_t input_size;
    pthread_mutex_t lock;
    struct sq_workspace *idle;
};

static void *deflate_open(void)
{
    return libdeflate_alloc_decompressor();
}

static void deflate_close(void *codec)
{
    libdeflate_free_decompressor(codec);
}

static int64_t deflate_run(void *codec, const uint8_t *in, size_t in_size, uint8_t *out,
                           size_t capacity)
{
    size_t size;
    if (libdeflate_zlib_decompress(codec, in, in_size, out, capacity, &size) != LIBDEFLATE_SUCCESS)
        return -1;
    return (int64_t)size;
}

static int64_t xz_run(void *codec, const uint8_t *in, size_t in_size, uint8_t *out, size_t capacity)
{
    uint64_t memory = LZMA_MEMORY;
    size_t in_at = 0, out_at = 0;

    (void)codec;
    if (lzma_stream_buffer_decode(&memory, 0, NULL, in, &in_at, in_size, out, &out_at, capacity) !=
        LZMA_OK)
        return -1;
    return (int64_t)out_at;
}

/* The format of lzma-utils, which states the size or ends with a marker. */
static int64_t lzma_run(void *codec, const uint8_t *in, size_t in_size, uint8_t *out,
                        size_t capacity)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_ret result;
    int64_t size;

    (void)codec;
    if (lzma_alone_decoder(&stream, LZMA_MEMORY) != LZMA_OK)
        return -1;
    stream.next_in = in;
    stream.avail_in = in_size;
    stream.next_out = out;
    stream.avail_out = capacity;
    result = lzma_code(&stream, LZMA_FINISH);
    size = (int64_t)stream.total_out;
    lzma_end(&stream);
    return result == LZMA_STREAM_END ? size : -1;
}

static int64_t lzo_run(void *codec, const uint8_t *in, size_t in_size, uint8_t *out,
                       size_t capacity)
{
    lzo_uint size = capacity;

    (void)codec;
    if (lzo1x_decompress_safe(in, in_size, out, &size, NULL) != LZO_E_OK)
        return -1;
    return (int64_t)size;
}

static int64_t lz4_run(void *codec, const uint8_t *in, size_t in_size, uint8_t *out,
                       size_t capacity)
{
    (void)codec;
    return LZ4_decompress_safe((const char *)in, (char *)out, (int)in_size, (int)capacity);
}

static void *zstd_open(void)
{
    return ZSTD_createDCtx();
}

static void zstd_close(void *codec)
{
    ZSTD_freeDCtx(codec);
}

static int64_t zstd_run(void *codec, const uint8_t *in, size_t in_size, uint8_t *out,
                        size_t capacity)
{
    size_t size = ZSTD_decompressDCtx(codec, out, capacity, in, in_size);
    return ZSTD_isError(size) ? -1 : (int64_t)size;
}

static const struct compressor compressors[] = {
    [1] = {"gzip", deflate_open, deflate_close, deflate_run},
    [2] = {"lzma", NULL, NULL, lzma_run},
    [3] = {"lzo", NULL, NULL, lzo_run},
    [4] = {"xz", NULL, NULL, xz_run},
    [5] = {"lz4", NULL, NULL, lz4_run},
    [6] = {"zstd", zstd_open, zstd_close, zstd_run},
};

int sq_decompressor_new(unsigned id, size_t input_size, struct sq_decompressor **out,
                        struct ch_error *err)
{
    struct sq_decompressor *pool;

    if (id == 0 || id >= sizeof(compressors) / sizeof(compressors[0]))
        return CH_FAIL_WITH(err, 0, "SquashFS", "unknown compressor %u", id);
    pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return CH_FAIL(err, "calloc", "%zu", sizeof(*pool));
    pool->compressor = &compressors[id];
    pool->input_size = input_size;
    pthread_mutex_init(&pool->lock, NULL);
    *out = pool;
    return 0;
}

void sq_decompressor_free(struct sq_decompressor *pool)
{
    if (pool == NULL)
        return;
    while (pool->idle != NULL) {
        struct sq_workspace *space = pool->idle;
        pool->idle = space->next;
        if (pool->compressor->close != NULL)
            pool->compressor->close(space->codec);
        free(space);
    }
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static struct sq_workspace *new_workspace(const struct sq_decompressor *pool)
{
    struct sq_workspace *space = malloc(sizeof(*space) + pool->input_size);

    if (space == NULL)
        return NULL;
    space->codec = NULL;
    if (pool->compressor->open != NULL && (space->codec = pool->compressor->open()) == NULL) {
        free(space);
        return NULL;
    }
    return space;
}

struct sq_workspace *sq_workspace_borrow(struct sq_decompressor *pool)
{
    struct sq_workspace *space;

    pthread_mutex_lock(&pool->lock);
    space = pool->idle;
    if (space != NULL)
        pool->idle = space->next;
    pthread_mutex_unlock(&pool->lock);
    return space != NULL ? space : new_workspace(pool);
}

void sq_workspace_return(struct sq_decompressor *pool, struct sq_workspace *space)
{
    pthread_mutex_lock(&pool->lock);
    space->next = pool->idle;
    pool->idle = space;
    pthread_mutex_unlock(&pool->lock);
}

int64_t sq_decompress(const struct sq_decompressor *pool, struct sq_workspace *space,
                      const uint8_t *input, size_t input_size, uint8_t *output, size_t capacity)
{
    return pool->compressor->decompress(space->codec, input, input_size, output, capacity);
}

const char *sq_decompressor_name(const struct sq_decompressor *pool)
{
    return pool->compressor->name;
}
