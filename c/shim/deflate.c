/* Gzip of one piece of data; see deflate.h.
 *
 * Matches are searched for in one pass with one candidate for each position (deflate_match.c).
 * Every few thousand symbols it is decided whether what came belongs to the block before it or
 * begins one of its own (deflate_blocks.c). A block gets its Huffman codes (deflate_codes.c) and is
 * written (deflate_symbols.c), or stored as it is if that is smaller. */
#include <libdeflate.h>
#include <stdlib.h>

#include "deflate_state.h"

#define HEADER 10u
#define TRAILER 8u

struct deflate *deflate_new(void)
{
    return malloc(sizeof(struct deflate));
}

void deflate_free(struct deflate *d)
{
    free(d);
}

/* A block is stored when it is no larger that way: 5 bytes each, and for 65535 bytes of a large
 * one. All but the last have CHUNK_SYMBOLS bytes or more. */
uint64_t deflate_bound(uint64_t size)
{
    return HEADER + size + 5 * (size / CHUNK_SYMBOLS + 1) + TRAILER;
}

static void store32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

size_t deflate_gzip(struct deflate *d, const uint8_t *in, size_t in_size, uint8_t *out,
                    size_t out_size)
{
    /* Neither name nor time, extra flags: fastest, of an unknown system. */
    static const uint8_t header[HEADER] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255};
    struct writer w = {out + HEADER, 0, 0};

    if (out_size < HEADER + TRAILER)
        return 0;
    memcpy(out, header, HEADER);
    memset(d->last, 0, sizeof(d->last));
    if (!deflate_blocks(d, in, in_size, &w, out + out_size))
        return 0;
    store32(w.at, libdeflate_crc32(0, in, in_size));
    store32(w.at + 4, (uint32_t)in_size);
    return (size_t)(w.at - out) + TRAILER;
}
