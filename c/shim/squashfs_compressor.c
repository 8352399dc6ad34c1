/* See squashfs_compressor.h. An object of ours compresses blocks one by one with a library's
 * function of a buffer; each thread of the pipeline has a copy, with working memory of its
 * own. */
#include "squashfs_compressor.h"

#include <libdeflate.h>
#include <lz4.h>
#include <lzo/lzo1x.h>
#include <sqfs/error.h>
#include <stdlib.h>
#include <string.h>

#include "ch.h"

/* What readers take for granted when an image has no record of lzo's options. */
#define LZO_LEVEL 8

struct compressor {
    sqfs_compressor_t base; /* first: libsquashfs knows the rest not */
    sqfs_compressor_config_t config;
    sqfs_compressor_t *options; /* libsquashfs' of the same kind, which records them; or NULL */
    struct libdeflate_compressor *deflate;
    void *lzo_memory;
};

static const struct compressor *self(const void *object)
{
    return object;
}

static void get_configuration(const sqfs_compressor_t *base, sqfs_compressor_config_t *config)
{
    *config = self(base)->config;
}

static int write_options(sqfs_compressor_t *base, sqfs_file_t *file)
{
    sqfs_compressor_t *options = self(base)->options;
    return options == NULL ? 0 : options->write_options(options, file);
}

static int read_options(sqfs_compressor_t *base, sqfs_file_t *file)
{
    sqfs_compressor_t *options = self(base)->options;
    return options == NULL ? 0 : options->read_options(options, file);
}

/* The contract of do_block: 0 if there would be nothing to gain, which is also what we say of
 * output as large as the input: unsquashfs(1) refuses such a block. */
static sqfs_s32 gain(size_t size, sqfs_u32 in_size)
{
    return size > 0 && size < in_size ? (sqfs_s32)size : 0;
}

static sqfs_s32 gzip_compress(sqfs_compressor_t *base, const sqfs_u8 *in, sqfs_u32 in_size,
                              sqfs_u8 *out, sqfs_u32 out_size)
{
    return gain(libdeflate_zlib_compress(self(base)->deflate, in, in_size, out, out_size), in_size);
}

static sqfs_s32 lz4_compress(sqfs_compressor_t *base, const sqfs_u8 *in, sqfs_u32 in_size,
                             sqfs_u8 *out, sqfs_u32 out_size)
{
    (void)base;
    int size = LZ4_compress_default((const char *)in, (char *)out, (int)in_size, (int)out_size);
    return gain(size < 0 ? 0 : (size_t)size, in_size);
}

/* The library writes as much as it likes, so it gets room of ours (lzo_room). */
static size_t lzo_room(const struct compressor *c)
{
    return c->config.block_size + c->config.block_size / 16 + 64 + 3;
}

static sqfs_s32 lzo_compress(sqfs_compressor_t *base, const sqfs_u8 *in, sqfs_u32 in_size,
                             sqfs_u8 *out, sqfs_u32 out_size)
{
    const struct compressor *c = self(base);
    uint8_t *room = (uint8_t *)c->lzo_memory + LZO1X_999_MEM_COMPRESS;
    lzo_uint size = 0;

    if (in_size > c->config.block_size ||
        lzo1x_999_compress_level(in, in_size, room, &size, c->lzo_memory, NULL, 0, NULL,
                                 (int)c->config.level) != LZO_E_OK)
        return SQFS_ERROR_COMPRESSOR;
    if (size >= in_size || size > out_size)
        return 0;
    memcpy(out, room, size);
    return (sqfs_s32)size;
}

static void destroy(sqfs_object_t *object)
{
    struct compressor *c = (struct compressor *)object;

    sqfs_destroy(c->options);
    libdeflate_free_compressor(c->deflate);
    free(c->lzo_memory);
    free(c);
}

static int prepare_gzip(struct compressor *c)
{
    c->base.do_block = gzip_compress;
    c->deflate = libdeflate_alloc_compressor((int)c->config.level);
    return c->deflate == NULL ? SQFS_ERROR_ALLOC : sqfs_compressor_create(&c->config, &c->options);
}

static int prepare_lz4(struct compressor *c)
{
    c->base.do_block = lz4_compress;
    return sqfs_compressor_create(&c->config, &c->options);
}

static int prepare_lzo(struct compressor *c)
{
    c->base.do_block = lzo_compress;
    c->lzo_memory = malloc(LZO1X_999_MEM_COMPRESS + lzo_room(c));
    return c->lzo_memory == NULL ? SQFS_ERROR_ALLOC : 0;
}

static sqfs_object_t *copy(const sqfs_object_t *object);

static int create(const sqfs_compressor_config_t *config, sqfs_compressor_t **result)
{
    struct compressor *c;
    int code;

    if (config->id != SQFS_COMP_GZIP && config->id != SQFS_COMP_LZ4 && config->id != SQFS_COMP_LZO)
        return sqfs_compressor_create(config, result);
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        return SQFS_ERROR_ALLOC;
    c->base = (sqfs_compressor_t){
        .base = {destroy, copy},
        .get_configuration = get_configuration,
        .write_options = write_options,
        .read_options = read_options,
    };
    c->config = *config;
    code = config->id == SQFS_COMP_GZIP  ? prepare_gzip(c)
           : config->id == SQFS_COMP_LZ4 ? prepare_lz4(c)
                                         : prepare_lzo(c);
    if (code != 0)
        destroy(&c->base.base);
    else
        *result = &c->base;
    return code;
}

static sqfs_object_t *copy(const sqfs_object_t *object)
{
    sqfs_compressor_t *result;
    return create(&self(object)->config, &result) == 0 ? &result->base : NULL;
}

static int configure(const struct ch_squashfs_settings *settings, sqfs_compressor_config_t *config)
{
    SQFS_COMPRESSOR id = (SQFS_COMPRESSOR)settings->compressor;
    int code;

    if (id == SQFS_COMP_LZO) {
        *config = (sqfs_compressor_config_t){.id = SQFS_COMP_LZO,
                                             .block_size = settings->block_size,
                                             .level = LZO_LEVEL,
                                             .opt.lzo.algorithm = SQFS_LZO1X_999};
        return 0;
    }
    code = sqfs_compressor_config_init(config, id, settings->block_size, 0);
    if (code == 0 && settings->level != 0)
        config->level = settings->level;
    return code;
}

int squashfs_compressor_create(const struct ch_squashfs_settings *settings,
                               sqfs_compressor_t **compressor)
{
    sqfs_compressor_config_t config;
    int code = configure(settings, &config);

    return code == 0 ? create(&config, compressor) : code;
}
