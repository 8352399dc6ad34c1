/* Chunks into blocks, and each block in the form that takes the fewest bits: with codes of its own,
 * with the fixed ones, or stored. */
#include "deflate_state.h"

/* What the description of a block's codes takes, more or less. */
#define TABLE_BITS 1200u
#define STORED_MAX 65535u

/* 256 times the logarithm to base 2, to 1 %: between powers of two a parabola. */
static inline uint64_t log2_256(uint32_t v)
{
    unsigned high = highest_bit(v);
    uint32_t fraction = (uint32_t)((uint64_t)v << (31 - high) >> 23) & 255;
    return high * 256 + fraction + (fraction * (256 - fraction) * 88 >> 16);
}

/* 256 times the bits that N symbols take that occur as often as COUNTS say, with ideal codes. */
static uint64_t entropy(const uint32_t *counts, unsigned n)
{
    uint64_t each = 0;
    uint32_t total = 0;
    for (unsigned i = 0; i < n; i++) {
        total += counts[i];
        each += counts[i] * log2_256(counts[i] | 1);
    }
    uint64_t all = total * log2_256(total | 1);
    return all > each ? all - each : 0;
}

static uint64_t extra_bits(const struct counts *counts)
{
    uint64_t bits = 0;
    for (unsigned i = FIRST_LENGTH; i < LITERAL_SYMBOLS; i++)
        bits += (uint64_t)counts->literals[i] * length_extra(i);
    for (unsigned i = 0; i < DISTANCE_SYMBOLS; i++)
        bits += (uint64_t)counts->distances[i] * distance_extra(i);
    return bits;
}

/* Bits of SIZE bytes stored behind USED bits of a byte. */
static uint64_t stored_bits(uint64_t size, unsigned used)
{
    uint64_t pieces = size == 0 ? 1 : (size + STORED_MAX - 1) / STORED_MAX;
    /* Only what comes first may begin within a byte: three bits, and to the end of it. */
    return (-(used + 3) & 7) + 35 + (pieces - 1) * 40 + 8 * size;
}

/* About what a block of SIZE bytes of data will take. */
static uint64_t estimate(const struct counts *counts, size_t size)
{
    uint64_t bits = (entropy(counts->literals, LITERAL_SYMBOLS) +
                     entropy(counts->distances, DISTANCE_SYMBOLS)) /
                        256 +
                    extra_bits(counts) + TABLE_BITS;
    uint64_t stored = stored_bits(size, 0);
    return bits < stored ? bits : stored;
}

/* Bits of a block's symbols in CODES. */
static uint64_t symbol_bits(const struct counts *counts, const struct codes *codes)
{
    uint64_t bits = extra_bits(counts);
    for (unsigned i = 0; i < LITERAL_SYMBOLS; i++)
        bits += (uint64_t)counts->literals[i] * codes->literal_lengths[i];
    for (unsigned i = 0; i < DISTANCE_SYMBOLS; i++)
        bits += (uint64_t)counts->distances[i] * codes->distance_lengths[i];
    return bits;
}

static void write_stored(const uint8_t *in, size_t size, bool is_last, struct writer *w)
{
    do {
        uint16_t n = size > STORED_MAX ? STORED_MAX : (uint16_t)size;
        size -= n;
        put(w, is_last && size == 0, 3);
        w->count = (w->count + 7) & ~7u;
        put(w, (uint32_t)n | (uint32_t)(uint16_t)~n << 16, 32);
        flush(w);
        memcpy(w->at, in, n);
        w->at += n;
        in += n;
    } while (size > 0);
}

/* The block, whose data is SIZE bytes at IN. False if it and 8 bytes more have no room. */
static bool write_block(struct deflate *d, const uint8_t *in, size_t size, bool is_last,
                        struct writer *w, const uint8_t *end)
{
    struct codes codes, fixed;
    struct code_table table;

    d->block.literals[END_OF_BLOCK] = 1;
    deflate_make_lengths(&d->block, &codes);
    deflate_fixed_lengths(&fixed);
    uint64_t own = 3 + deflate_make_table(&codes, &table) + symbol_bits(&d->block, &codes);
    uint64_t common = 3 + symbol_bits(&d->block, &fixed);
    uint64_t stored = stored_bits(size, w->count);
    uint64_t least = own < common ? own : common;
    least = least < stored ? least : stored;
    if ((w->count + least + 7) / 8 + 8 > (size_t)(end - w->at))
        return false;
    if (least == stored) {
        write_stored(in, size, is_last, w);
        return true;
    }
    bool is_fixed = least == common;
    put(w, is_last | (is_fixed ? 1u : 2u) << 1, 3);
    flush(w);
    if (is_fixed)
        codes = fixed;
    else
        deflate_write_table(&table, w);
    deflate_make_codes(&codes);
    deflate_write_symbols(d->sequences, d->block_sequences, d->literals, &codes, w);
    return true;
}

/* The chunk that follows the block begins one. */
static void begin_block(struct deflate *d)
{
    size_t sequences = d->block_sequences, literals = d->block_literals;
    d->sequence_count -= sequences;
    d->literal_count -= literals;
    memmove(d->sequences, d->sequences + sequences, d->sequence_count * sizeof(*d->sequences));
    memmove(d->literals, d->literals + literals, d->literal_count);
}

static void count_literals(struct deflate *d)
{
    /* Four tables: equal bytes in a row don't wait for one another. */
    uint32_t counts[4][256] = {0};
    const uint8_t *p = d->literals + d->block_literals, *end = d->literals + d->literal_count;

    for (; end - p >= 4; p += 4) {
        counts[0][p[0]]++;
        counts[1][p[1]]++;
        counts[2][p[2]]++;
        counts[3][p[3]]++;
    }
    while (p < end)
        counts[0][*p++]++;
    for (unsigned i = 0; i < 256; i++)
        d->chunk.literals[i] += counts[0][i] + counts[1][i] + counts[2][i] + counts[3][i];
}

static void add_counts(struct counts *sum, const struct counts *a, const struct counts *b)
{
    for (unsigned i = 0; i < 288; i++)
        sum->literals[i] = a->literals[i] + b->literals[i];
    for (unsigned i = 0; i < 32; i++)
        sum->distances[i] = a->distances[i] + b->distances[i];
}

bool deflate_blocks(struct deflate *d, const uint8_t *in, size_t size, struct writer *w,
                    const uint8_t *end)
{
    const uint8_t *const in_end = in + size, *block = in, *at = in;
    uint64_t block_cost = 0;

    d->sequence_count = d->literal_count = d->block_sequences = d->block_literals = 0;
    memset(&d->block, 0, sizeof(d->block));
    do {
        const uint8_t *chunk = at;
        struct counts both;
        memset(&d->chunk, 0, sizeof(d->chunk));
        at = deflate_match(d, in, chunk, in_end);
        count_literals(d);
        add_counts(&both, &d->block, &d->chunk);
        uint64_t cost = estimate(&d->chunk, (size_t)(at - chunk));
        uint64_t both_cost = estimate(&both, (size_t)(at - block));
        bool is_full = d->sequence_count > BLOCK_SYMBOLS || d->literal_count > BLOCK_SYMBOLS;
        if (chunk != block && (is_full || block_cost + cost < both_cost)) {
            if (!write_block(d, block, (size_t)(chunk - block), false, w, end))
                return false;
            begin_block(d);
            d->block = d->chunk;
            block = chunk;
            block_cost = cost;
        } else {
            d->block = both;
            block_cost = both_cost;
        }
        d->block_sequences = d->sequence_count;
        d->block_literals = d->literal_count;
    } while (at < in_end);
    if (!write_block(d, block, (size_t)(at - block), true, w, end))
        return false;
    w->count = (w->count + 7) & ~7u;
    flush(w);
    return true;
}
