/* A block's sequences into bits. */
#include "deflate_state.h"

/* One look-up for each symbol: what is sent, and how many bits that is. */
struct tables {
    uint32_t literals[256]; /* code << 8 | bits */
    uint32_t lengths[257];  /* bits << 24 | code and extra bits; none for NO_MATCH */
    uint32_t distances[32]; /* bits with extra bits << 24 | bits << 16 | code */
};

static void make_tables(const struct codes *codes, struct tables *t)
{
    unsigned length = 0;

    for (unsigned i = 0; i < 256; i++)
        t->literals[i] = (uint32_t)codes->literals[i] << 8 | codes->literal_lengths[i];
    for (unsigned symbol = FIRST_LENGTH; symbol < LITERAL_SYMBOLS; symbol++) {
        unsigned bits = codes->literal_lengths[symbol], extra = length_extra(symbol);
        /* The last stands for the greatest length alone, which the one before it could say, too. */
        if (symbol == LITERAL_SYMBOLS - 1)
            length = MATCH_MAX - 3;
        for (unsigned i = 0; i < 1u << extra && length < 256; i++)
            t->lengths[length++] = (bits + extra) << 24 | i << bits | codes->literals[symbol];
    }
    t->lengths[256] = 0;
    memset(t->distances, 0, sizeof(t->distances));
    for (unsigned i = 0; i < DISTANCE_SYMBOLS; i++) {
        unsigned bits = codes->distance_lengths[i];
        t->distances[i] = (bits + distance_extra(i)) << 24 | bits << 16 | codes->distances[i];
    }
}

/* Bits that are put together apart, so that the writer need not wait for each. */
struct bits {
    uint64_t bits;
    unsigned count;
};

static inline struct bits join(struct bits a, struct bits b)
{
    return (struct bits){a.bits | b.bits << a.count, a.count + b.count};
}

static inline struct bits literal_bits(const struct tables *t, uint8_t literal, uint32_t mask)
{
    uint32_t entry = t->literals[literal] & mask;
    return (struct bits){entry >> 8, entry & 255};
}

/* Those of four literals whose masks are set; up to 56 bits. */
static inline struct bits four_literals(const struct tables *t, const uint8_t *literals,
                                        const uint32_t masks[4])
{
    struct bits a = literal_bits(t, literals[0], masks[0]);
    struct bits b = literal_bits(t, literals[1], masks[1]);
    struct bits c = literal_bits(t, literals[2], masks[2]);
    struct bits d = literal_bits(t, literals[3], masks[3]);
    return join(join(a, b), join(c, d));
}

/* Up to 47 bits. */
static inline struct bits match_bits(const struct tables *t, uint32_t match)
{
    uint32_t length = t->lengths[match & 511], distance = t->distances[(match >> 9) & 31];
    uint64_t extra = match >> 14;
    struct bits both = {extra << ((distance >> 16) & 31) | (distance & 0xffff), distance >> 24};
    return join((struct bits){length & 0xffffff, length >> 24}, both);
}

/* Up to 56 bits. */
static inline void put_bits(struct bits bits, struct writer *w)
{
    put(w, bits.bits, bits.count);
    flush(w);
}

__attribute__((always_inline)) static inline void
write_sequences(const struct sequence *sequence, const struct sequence *end,
                const uint8_t *literals, const struct tables *t, struct writer *out)
{
    static const uint32_t masks[5][4] = {
        {0}, {~0u}, {~0u, ~0u}, {~0u, ~0u, ~0u}, {~0u, ~0u, ~0u, ~0u}};
    struct writer w = *out; /* in registers */

    for (; sequence < end; sequence++) {
        size_t count = sequence->literals;
        for (; count > 4; count -= 4, literals += 4)
            put_bits(four_literals(t, literals, masks[4]), &w);
        /* How many are left nobody can predict, so there are no branches here. */
        struct bits rest = four_literals(t, literals, masks[count]);
        struct bits match = match_bits(t, sequence->match);
        literals += count;
        if (rest.count + match.count <= 56) {
            put_bits(join(rest, match), &w);
        } else {
            put_bits(rest, &w);
            put_bits(match, &w);
        }
    }
    *out = w;
}

#ifdef __x86_64__
/* The same with shifts that newer processors have; a tenth faster. */
__attribute__((target("bmi2"))) static void
write_sequences_bmi2(const struct sequence *sequence, const struct sequence *end,
                     const uint8_t *literals, const struct tables *t, struct writer *w)
{
    write_sequences(sequence, end, literals, t, w);
}
#endif

void deflate_write_symbols(const struct sequence *sequences, size_t count, const uint8_t *literals,
                           const struct codes *codes, struct writer *w)
{
    struct tables t;

    make_tables(codes, &t);
#ifdef __x86_64__
    if (__builtin_cpu_supports("bmi2"))
        write_sequences_bmi2(sequences, sequences + count, literals, &t, w);
    else
#endif
        write_sequences(sequences, sequences + count, literals, &t, w);
    put(w, codes->literals[END_OF_BLOCK], codes->literal_lengths[END_OF_BLOCK]);
    flush(w);
}
