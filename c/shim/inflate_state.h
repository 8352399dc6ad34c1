/* The state of a gunzip and its bit reader: what inflate*.c share. */
#ifndef CH_INFLATE_STATE_H
#define CH_INFLATE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "huffman.h"
#include "inflate.h"

#define HISTORY 32768u
#define WINDOW (HISTORY + 160u * 1024)
#define MAX_MATCH 258u
/* A match is copied in words and may write this far past its end; the fast loop writes up to three
 * literals before it. */
#define SLACK 32u

enum state {
    S_HEADER, /* fixed ten bytes */
    S_EXTRA_LENGTH,
    S_EXTRA,
    S_NAME,
    S_COMMENT,
    S_HEADER_CRC,
    S_BLOCK,
    S_STORED_LENGTH,
    S_STORED,
    S_TABLE_SIZES,
    S_LENGTH_CODES,
    S_CODES,
    S_SYMBOLS,
    S_TRAILER,
    S_BETWEEN,
    S_ERROR,
};

struct inflate {
    enum state state;
    const char *reason;

    uint64_t bits;
    unsigned count; /* valid bits in BITS */

    bool last_block;
    uint32_t remaining; /* of a stored block or the header's extra field */
    unsigned index;     /* within what the state reads */
    uint8_t flags;      /* of the gzip header */
    uint8_t fixed[10];
    unsigned literal_count, distance_count, length_count;
    uint8_t lengths[288 + 32];

    uint32_t crc;
    uint32_t size; /* of the member so far, modulo 2^32 */

    size_t start;  /* first byte of the window that belongs to this member */
    size_t read;   /* first byte not yet given to the caller */
    size_t end;    /* where decoding goes on */
    size_t summed; /* first byte not yet in CRC */

    uint32_t literals[LITERAL_ENTRIES];
    uint32_t distances[DISTANCE_ENTRIES];
    uint32_t length_codes[LENGTH_ENTRIES];
    uint8_t window[WINDOW + MAX_MATCH + SLACK];
};

struct input {
    const uint8_t *at;
    const uint8_t *end;
};

enum step { STEP_DONE, STEP_INPUT, STEP_END, STEP_WRONG };

/* Reads one piece of a gzip member's frame or of its data: the next state, or the same one if input
 * ran out. */
enum state inflate_member_step(struct inflate *s, struct input *in);
enum state inflate_block_step(struct inflate *s, struct input *in);

/* Takes what was decoded into the member's checksum and size. */
void inflate_sum(struct inflate *s);

static inline enum state inflate_fail(struct inflate *s, const char *reason)
{
    s->reason = reason;
    return S_ERROR;
}

/* Symbols of a block until its end, until the window is full, or until input gets short. */
enum step inflate_decode_fast(struct inflate *s, struct input *in);
/* One symbol, or nothing at all if the bits do not suffice. */
enum step inflate_decode_symbol(struct inflate *s, struct input *in);
/* Input that the fast loop needs. */
#define FAST_INPUT 16

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* As many bytes as fit, but never 64 bits: the fast loop shifts by COUNT. */
static inline void fill(struct inflate *s, struct input *in)
{
    while (s->count < 56 && in->at < in->end) {
        s->bits |= (uint64_t)*in->at++ << s->count;
        s->count += 8;
    }
}

/* At least N bits (<= 32) there? */
static inline bool have(struct inflate *s, struct input *in, unsigned n)
{
    if (s->count < n)
        fill(s, in);
    return s->count >= n;
}

static inline uint32_t peek(const struct inflate *s, unsigned n)
{
    return (uint32_t)(s->bits & ((1ull << n) - 1));
}

static inline void drop(struct inflate *s, unsigned n)
{
    s->bits >>= n;
    s->count -= n;
}

static inline uint32_t take(struct inflate *s, unsigned n)
{
    uint32_t v = peek(s, n);
    drop(s, n);
    return v;
}

#endif
