/* Symbols of a deflate block (RFC 1951 3.2.5): literals and matches.
 *
 * Two loops decode them. The fast one runs while input and window have room for the longest symbols
 * and checks nothing but codes and distances. The careful one takes one symbol at a time and leaves
 * the bits untouched when they do not suffice, so that input may stop anywhere. */
#include "inflate_state.h"

/* LENGTH bytes from DISTANCE back; may write up to SLACK bytes behind them. */
static inline void copy_match(uint8_t *out, unsigned distance, unsigned length)
{
    const uint8_t *from = out - distance;
    const uint8_t *end = out + length;
    if (distance >= 16) {
        do {
            memcpy(out, from, 16);
            out += 16;
            from += 16;
        } while (out < end);
    } else if (distance >= 8) {
        do {
            memcpy(out, from, 8);
            out += 8;
            from += 8;
        } while (out < end);
    } else if (distance == 1) {
        memset(out, *from, length);
    } else {
        do
            *out++ = *from++;
        while (out < end);
    }
}

/* The fast loop's own copy of the bit reader, for registers. */
struct reader {
    const uint8_t *at;
    uint64_t bits;
    unsigned count;
};

/* Up to 56 bits or more. Whole bytes are counted; what is or-ed in above COUNT comes again, the
 * same. */
static inline void refill(struct reader *r)
{
    r->bits |= load64(r->at) << r->count;
    r->at += (63 - r->count) >> 3;
    r->count |= 56;
}

static inline uint32_t entry_of(const struct reader *r, const uint32_t *table, unsigned width)
{
    return table[r->bits & ((1u << width) - 1)];
}

static inline void consume(struct reader *r, unsigned n)
{
    r->bits >>= n;
    r->count -= n;
}

/* The value of entry E with its extra bits. */
static inline unsigned take_value(struct reader *r, uint32_t e)
{
    unsigned extra = (unsigned)((r->bits & ((1ull << E_TAKE(e)) - 1)) >> E_CODE(e));
    consume(r, E_TAKE(e));
    return E_VALUE(e) + extra;
}

/* If E is a literal, writes it and goes to the next entry. */
static inline bool take_literal(struct reader *r, const uint32_t *table, uint32_t *e, uint8_t **out)
{
    if (!(*e & E_LITERAL))
        return false;
    consume(r, E_TAKE(*e));
    *(*out)++ = (uint8_t)(*e >> 16);
    *e = entry_of(r, table, LITERAL_BITS);
    return true;
}

enum step inflate_decode_fast(struct inflate *s, struct input *in)
{
    const uint8_t *const limit = in->end - FAST_INPUT;
    const uint8_t *const first = s->window + s->start;
    uint8_t *out = s->window + s->end;
    uint8_t *const out_limit = s->window + WINDOW;
    const uint32_t *const literals = s->literals, *const distances = s->distances;
    struct reader r = {in->at, s->bits, s->count};
    enum step result = STEP_DONE;

    while (r.at < limit && out < out_limit) {
        refill(&r);
        uint32_t e = entry_of(&r, literals, LITERAL_BITS);
        if (take_literal(&r, literals, &e, &out)) {
            if (take_literal(&r, literals, &e, &out) && take_literal(&r, literals, &e, &out))
                continue;
            /* A length and a distance may take 48 bits. */
            refill(&r);
        }
        if (e & E_SUBTABLE) {
            consume(&r, LITERAL_BITS);
            e = literals[E_VALUE(e) + (r.bits & ((1u << E_CODE(e)) - 1))];
            if (take_literal(&r, literals, &e, &out))
                continue;
        }
        if (e & E_SPECIAL) {
            result = e & E_END ? STEP_END : STEP_WRONG;
            consume(&r, E_TAKE(e));
            break;
        }
        unsigned length = take_value(&r, e);
        e = entry_of(&r, distances, DISTANCE_BITS);
        if (e & E_SUBTABLE) {
            consume(&r, DISTANCE_BITS);
            e = distances[E_VALUE(e) + (r.bits & ((1u << E_CODE(e)) - 1))];
        }
        unsigned distance = take_value(&r, e);
        if ((e & E_INVALID) || distance > (size_t)(out - first)) {
            result = STEP_WRONG;
            break;
        }
        copy_match(out, distance, length);
        out += length;
    }
    s->bits = r.bits & ((1ull << r.count) - 1);
    s->count = r.count;
    s->end = (size_t)(out - s->window);
    in->at = r.at;
    return result;
}

/* Entry for BITS, through a subtable if need be; *USED counts the bits that led there, without its
 * own. */
static uint32_t look_up(const uint32_t *table, unsigned root, uint64_t bits, unsigned *used)
{
    uint32_t e = table[bits & ((1u << root) - 1)];
    *used = 0;
    if (!(e & E_LITERAL) && (e & E_SUBTABLE)) {
        *used = root;
        e = table[E_VALUE(e) + ((bits >> root) & ((1u << E_CODE(e)) - 1))];
    }
    return e;
}

enum step inflate_decode_symbol(struct inflate *s, struct input *in)
{
    unsigned sub, used;
    fill(s, in);
    uint32_t e = look_up(s->literals, LITERAL_BITS, s->bits, &sub);
    used = sub + E_TAKE(e);
    if (e & E_LITERAL) {
        if (used > s->count)
            return STEP_INPUT;
        drop(s, used);
        s->window[s->end++] = (uint8_t)(e >> 16);
        return STEP_DONE;
    }
    /* An entry that no code leads to says nothing while bits are missing. */
    if (e & E_INVALID)
        return s->count < MAX_CODE ? STEP_INPUT : STEP_WRONG;
    if (used > s->count)
        return STEP_INPUT;
    if (e & E_END) {
        drop(s, used);
        return STEP_END;
    }
    unsigned length =
        E_VALUE(e) + (unsigned)(((s->bits >> sub) & ((1ull << E_TAKE(e)) - 1)) >> E_CODE(e));
    uint64_t rest = s->bits >> used;

    e = look_up(s->distances, DISTANCE_BITS, rest, &sub);
    if (e & E_INVALID)
        return s->count - used < MAX_CODE ? STEP_INPUT : STEP_WRONG;
    if (used + sub + E_TAKE(e) > s->count)
        return STEP_INPUT;
    unsigned distance =
        E_VALUE(e) + (unsigned)(((rest >> sub) & ((1ull << E_TAKE(e)) - 1)) >> E_CODE(e));
    if (distance > s->end - s->start)
        return STEP_WRONG;
    drop(s, used + sub + E_TAKE(e));
    copy_match(s->window + s->end, distance, length);
    s->end += length;
    return STEP_DONE;
}
