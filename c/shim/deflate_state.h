/* What the parts of deflate share; see deflate.c. */
#ifndef CH_DEFLATE_STATE_H
#define CH_DEFLATE_STATE_H

#include <stdbool.h>
#include <string.h>

#include "deflate.h"

#define HASH_BITS 15u
#define DISTANCE_MAX 32768u
#define MATCH_MAX 258u

/* Symbols of the two codes (RFC 1951 3.2.5). */
#define LITERAL_SYMBOLS 286u
#define END_OF_BLOCK 256u
#define FIRST_LENGTH 257u
#define DISTANCE_SYMBOLS 30u

/* A chunk is what is looked at when a block may end: so many sequences and literals together, and
 * no more bytes of data than that. A block has no more of either than that before its last chunk.
 */
#define CHUNK_SYMBOLS 6144u
#define CHUNK_DATA 32768u
#define BLOCK_SYMBOLS 32768u

/* Literals, and the match that follows them. */
struct sequence {
    uint32_t literals;
    /* Bits 0-8: length - 3, or NO_MATCH; 9-13: symbol of the distance; from 14 on its extra bits */
    uint32_t match;
};
#define NO_MATCH (256u | DISTANCE_SYMBOLS << 9)

/* How often symbols occur. */
struct counts {
    uint32_t literals[288];
    uint32_t distances[32];
};

struct deflate {
    /* Low halves of the positions where some bytes were seen last, by their hash. What is too old
     * looks like something else in the window, and is told from a match as any other is: by its
     * bytes. */
    uint16_t last[1u << HASH_BITS];
    /* The block as far as it goes, and the chunk behind it. */
    struct sequence sequences[BLOCK_SYMBOLS + CHUNK_SYMBOLS + 2];
    size_t sequence_count, block_sequences;
    /* Some more may be written, and read, behind them. */
    uint8_t literals[BLOCK_SYMBOLS + CHUNK_DATA + 64];
    size_t literal_count, block_literals;
    struct counts chunk, block;
};

static inline uint32_t load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline unsigned highest_bit(uint32_t v)
{
    return 31u - (unsigned)__builtin_clz(v);
}

static inline unsigned length_extra(unsigned symbol)
{
    unsigned i = symbol - FIRST_LENGTH;
    return i < 8 || i == 28 ? 0 : i / 4 - 1;
}

static inline unsigned distance_extra(unsigned symbol)
{
    return symbol < 4 ? 0 : symbol / 2 - 1;
}

/* Bits on their way out. */
struct writer {
    uint8_t *at;
    uint64_t bits;
    unsigned count;
};

static inline void put(struct writer *w, uint64_t bits, unsigned count)
{
    w->bits |= bits << w->count;
    w->count += count;
}

/* Leaves 7 bits or fewer. Writes 8 bytes, of which those beyond the bits do not count. */
static inline void flush(struct writer *w)
{
    uint64_t v = w->bits;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    memcpy(w->at, &v, sizeof(v));
    w->at += w->count >> 3;
    w->bits >>= w->count & ~7u;
    w->count &= 7;
}

/* deflate_match.c: the next chunk of the data from BEGIN to END, from AT on, into sequences,
 * literals and counts. Returns the chunk's end. */
const uint8_t *deflate_match(struct deflate *d, const uint8_t *begin, const uint8_t *at,
                             const uint8_t *end);

/* deflate_codes.c. The longest code for literals and lengths: four fit between two flushes. */
#define LITERAL_CODE_MAX 14u
#define DISTANCE_CODE_MAX 15u

/* A block's codes by symbol; bits as they are sent, the least significant first. */
struct codes {
    uint8_t literal_lengths[288], distance_lengths[32];
    uint16_t literals[288], distances[32];
};

/* The description of codes at the head of a block. */
struct code_table {
    unsigned literals, distances, lengths; /* how many of each are sent */
    uint8_t length_lengths[19];
    uint16_t length_codes[19];
    unsigned run_count;
    uint16_t runs[LITERAL_SYMBOLS + DISTANCE_SYMBOLS]; /* symbol, and from bit 5 on extra bits */
};

/* Their lengths, for symbols that occur so often, or the fixed ones. */
void deflate_make_lengths(const struct counts *counts, struct codes *codes);
void deflate_fixed_lengths(struct codes *codes);
/* The codes, from their lengths. */
void deflate_make_codes(struct codes *codes);
/* Returns the bits it takes. */
unsigned deflate_make_table(const struct codes *codes, struct code_table *table);
void deflate_write_table(const struct code_table *table, struct writer *w);

/* deflate_symbols.c: COUNT sequences with LITERALS in CODES, and the end of the block. */
void deflate_write_symbols(const struct sequence *sequences, size_t count, const uint8_t *literals,
                           const struct codes *codes, struct writer *w);

/* deflate_blocks.c: true if all went out, and 8 bytes more have room before END. */
bool deflate_blocks(struct deflate *d, const uint8_t *in, size_t size, struct writer *w,
                    const uint8_t *end);

#endif
