/* Making gzip data: whole members, which may follow one another (RFC 1952 2.2). */
#include <libdeflate.h>

#include "ch.h"

int32_t ch_gzip_bound(uint64_t in_size, uint64_t *bound, struct ch_error *err)
{
    (void)err;
    *bound = libdeflate_gzip_compress_bound(NULL, in_size);
    return 0;
}

int32_t ch_gzip_member(int32_t level, const void *in, uint64_t in_size, void *out,
                       uint64_t out_size, uint64_t *produced, struct ch_error *err)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(level);
    if (c == NULL)
        return CH_FAIL_WITH(err, level < 0 || level > 12 ? EINVAL : ENOMEM, "gzip", "level %d",
                            level);
    *produced = libdeflate_gzip_compress(c, in, in_size, out, out_size);
    libdeflate_free_compressor(c);
    if (*produced == 0)
        return CH_FAIL_WITH(err, ENOSPC, "gzip", "%s", "");
    return 0;
}
