/* A block's sequences into bits. */
#include "deflate_state.h"

/* Per symbol one look-up: what is sent, and how many bits that is, in the lowest or highest byte.
 */
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

static inline void put_literal(const struct tables *t, uint8_t literal, bool is_there,
                               struct writer *w)
{
    uint32_t entry = t->literals[literal] & -(uint32_t)is_there;
    put(w, entry >> 8, entry & 255);
}

/* Up to 47 bits. */
static inline void put_match(const struct tables *t, uint32_t match, struct writer *w)
{
    uint32_t length = t->lengths[match & 511], distance = t->distances[(match >> 9) & 31];
    uint64_t extra = match >> 14;
    put(w, length & 0xffffff, length >> 24);
    put(w, (extra << ((distance >> 16) & 31)) | (distance & 0xffff), distance >> 24);
}

__attribute__((always_inline)) static inline void
write_sequences(const struct sequence *sequence, const struct sequence *end, const uint8_t *literal,
                const struct tables *t, struct writer *out)
{
    struct writer w = *out; /* in registers */

    for (; sequence < end; sequence++) {
        size_t count = sequence->literals;
        for (; count > 4; count -= 4, literal += 4) {
            for (unsigned i = 0; i < 4; i++)
                put_literal(t, literal[i], true, &w);
            flush(&w);
        }
        /* How many are left nobody can predict, so there are no branches here. */
        for (unsigned i = 0; i < 4; i++)
            put_literal(t, literal[i], i < count, &w);
        literal += count;
        flush(&w);
        put_match(t, sequence->match, &w);
        flush(&w);
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
