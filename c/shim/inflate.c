/* Gunzip as a stream; see inflate.h.
 *
 * Data is decoded into a window of our own, 32 KiB of history and what follows it, and copied from
 * there to the caller: so a match never crosses buffers, and the window stays in the cache.
 *
 * Two loops decode a block. The fast one runs while input and window have room for the longest
 * symbols and checks nothing but codes and distances. The careful one takes one symbol at a time
 * and leaves the bits untouched when they do not suffice, so that input may stop anywhere. */
#include "inflate.h"

#include <libdeflate.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY 32768u
#define WINDOW (HISTORY + 160u * 1024)
#define MAX_MATCH 258u
/* A match is copied in words and may write this far past its end; the fast loop writes up to three
 * literals before it. */
#define SLACK 32u

#define MAX_CODE 15u
#define LITERAL_BITS 11u
#define DISTANCE_BITS 8u
#define LENGTH_BITS 7u
/* Entries for every complete code of that many symbols and bits (zlib's examples/enough.c). */
#define LITERAL_ENTRIES 2342u
#define DISTANCE_ENTRIES 402u

/* A decoding table's entry, 32 bits:
 *   bits 0-5   bits to consume: of the code and of the extra bits that belong to it
 *   bits 8-12  bits of the code alone (within this table)
 *   bits 16-30 literal, base of a length or distance, or start of a subtable
 *   and one of the flags below; none means length or distance. */
#define E_LITERAL 0x80000000u
#define E_SUBTABLE 0x4000u
#define E_END 0x2000u
#define E_INVALID 0x8000u
#define E_SPECIAL (E_SUBTABLE | E_END | E_INVALID)
#define E_TAKE(e) ((e)&0x3fu)
#define E_CODE(e) (((e) >> 8) & 0x1fu)
#define E_VALUE(e) (((e) >> 16) & 0x7fffu)

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
    uint32_t length_codes[1u << LENGTH_BITS];
    uint8_t window[WINDOW + MAX_MATCH + SLACK];
};

struct input {
    const uint8_t *at;
    const uint8_t *end;
};

struct inflate *inflate_new(void)
{
    struct inflate *s = malloc(sizeof(*s));
    if (s == NULL)
        return NULL;
    memset(s, 0, offsetof(struct inflate, literals));
    s->state = S_HEADER;
    return s;
}

void inflate_free(struct inflate *s)
{
    free(s);
}

const char *inflate_reason(const struct inflate *s)
{
    return s->reason ? s->reason : "no error";
}

static enum state fail(struct inflate *s, const char *reason)
{
    s->reason = reason;
    return S_ERROR;
}

/* ---- Bits ---- */

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
static void fill(struct inflate *s, struct input *in)
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

/* ---- Tables ---- */

static uint32_t literal_entry(unsigned symbol)
{
    static const uint16_t base[29] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                      15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                      67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const uint8_t extra[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                      2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    if (symbol < 256)
        return E_LITERAL | symbol << 16;
    if (symbol == 256)
        return E_END;
    if (symbol > 285)
        return E_INVALID;
    return (uint32_t)base[symbol - 257] << 16 | extra[symbol - 257];
}

static uint32_t distance_entry(unsigned symbol)
{
    static const uint16_t base[30] = {
        1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
        193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    if (symbol > 29)
        return E_INVALID;
    return (uint32_t)base[symbol] << 16 | (symbol < 4 ? 0 : symbol / 2 - 1);
}

static uint32_t length_entry(unsigned symbol)
{
    return symbol << 16;
}

static unsigned reverse(unsigned code, unsigned bits)
{
    unsigned r = 0;
    for (unsigned i = 0; i < bits; i++)
        r |= ((code >> i) & 1u) << (bits - 1 - i);
    return r;
}

/* Canonical Huffman code of LENGTHS as a table of 2^ROOT entries and subtables behind it. False if
 * the lengths are no code. One single code of one bit is allowed to be incomplete, and for
 * distances none at all (RFC 1951 3.2.7). */
static bool build(uint32_t *table, unsigned capacity, unsigned root, const uint8_t *lengths,
                  unsigned n, uint32_t (*entry)(unsigned), bool may_be_empty)
{
    unsigned counts[MAX_CODE + 1] = {0}, next[MAX_CODE + 2];
    uint16_t sorted[288];
    unsigned offsets[MAX_CODE + 2], used = 1u << root, longest = 0;
    int left = 1;

    for (unsigned i = 0; i < n; i++)
        counts[lengths[i]]++;
    counts[0] = 0;
    offsets[1] = 0;
    next[1] = 0;
    for (unsigned bits = 1; bits <= MAX_CODE; bits++) {
        left = 2 * left - (int)counts[bits];
        if (left < 0)
            return false;
        if (counts[bits] != 0)
            longest = bits;
        offsets[bits + 1] = offsets[bits] + counts[bits];
        next[bits + 1] = (next[bits] + counts[bits]) << 1;
    }
    unsigned total = offsets[MAX_CODE + 1];
    if (left > 0 && !(total == 1 && longest == 1) && !(total == 0 && may_be_empty))
        return false;
    for (unsigned i = 0; i < n; i++)
        if (lengths[i] != 0)
            sorted[offsets[lengths[i]]++] = (uint16_t)i;

    for (unsigned i = 0; i < used; i++)
        table[i] = E_INVALID;

    unsigned sub_prefix = ~0u, sub_start = 0, sub_bits = 0;
    for (unsigned i = 0; i < total; i++) {
        unsigned symbol = sorted[i], bits = lengths[symbol];
        unsigned code = reverse(next[bits]++, bits);
        uint32_t e = entry(symbol), extra = e & 0x3fu;
        e &= ~0x3fu;
        if (bits <= root) {
            e |= bits << 8 | (bits + extra);
            for (unsigned k = code; k < 1u << root; k += 1u << bits)
                table[k] = e;
            continue;
        }
        unsigned prefix = code & ((1u << root) - 1);
        if (prefix != sub_prefix) {
            /* Codes come sorted by length and then in order, so all of one prefix follow one
             * another; the subtable is as wide as its longest code: widen until what is left is
             * filled. */
            int open;
            sub_prefix = prefix;
            sub_bits = bits - root;
            open = 1 << sub_bits;
            unsigned k = bits, in_this = counts[bits] - (i - (offsets[bits] - counts[bits]));
            open -= (int)in_this;
            while (open > 0 && k < longest) {
                k++;
                sub_bits++;
                open = 2 * open - (int)counts[k];
            }
            sub_start = used;
            used += 1u << sub_bits;
            if (used > capacity)
                return false;
            for (unsigned j = sub_start; j < used; j++)
                table[j] = E_INVALID;
            table[prefix] = E_SUBTABLE | sub_start << 16 | sub_bits << 8 | root;
        }
        e |= (bits - root) << 8 | (bits - root + extra);
        for (unsigned k = code >> root; k < 1u << sub_bits; k += 1u << (bits - root))
            table[sub_start + k] = e;
    }
    return true;
}

static bool build_block(struct inflate *s)
{
    return build(s->literals, LITERAL_ENTRIES, LITERAL_BITS, s->lengths, s->literal_count,
                 literal_entry, false) &&
           build(s->distances, DISTANCE_ENTRIES, DISTANCE_BITS, s->lengths + s->literal_count,
                 s->distance_count, distance_entry, true);
}

static void fixed_lengths(struct inflate *s)
{
    memset(s->lengths, 8, 144);
    memset(s->lengths + 144, 9, 112);
    memset(s->lengths + 256, 7, 24);
    memset(s->lengths + 280, 8, 8);
    memset(s->lengths + 288, 5, 32);
    s->literal_count = 288;
    s->distance_count = 32;
}

/* ---- Symbols ---- */

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

/* Runs while there are 16 bytes of input and a window not yet full; false on a wrong code.
 * END_OF_BLOCK tells whether the block's end was met. */
static bool decode_fast(struct inflate *s, struct input *in, bool *end_of_block)
{
    const uint8_t *at = in->at;
    const uint8_t *const limit = in->end - 16;
    const uint8_t *const first = s->window + s->start;
    uint8_t *out = s->window + s->end;
    uint8_t *const out_limit = s->window + WINDOW;
    const uint32_t *const literals = s->literals, *const distances = s->distances;
    uint64_t bits = s->bits;
    unsigned count = s->count;
    bool good = true;

    while (at < limit && out < out_limit) {
        bits |= load64(at) << count;
        at += (63 - count) >> 3;
        count |= 56;

        uint32_t e = literals[bits & ((1u << LITERAL_BITS) - 1)];
        if (e & E_LITERAL) {
            bits >>= E_TAKE(e);
            count -= E_TAKE(e);
            *out++ = (uint8_t)(e >> 16);
            e = literals[bits & ((1u << LITERAL_BITS) - 1)];
            if (e & E_LITERAL) {
                bits >>= E_TAKE(e);
                count -= E_TAKE(e);
                *out++ = (uint8_t)(e >> 16);
                e = literals[bits & ((1u << LITERAL_BITS) - 1)];
                if (e & E_LITERAL) {
                    bits >>= E_TAKE(e);
                    count -= E_TAKE(e);
                    *out++ = (uint8_t)(e >> 16);
                    continue;
                }
            }
            /* 34 bits or more are left, a length and distance may take 48. */
            bits |= load64(at) << count;
            at += (63 - count) >> 3;
            count |= 56;
        }
        if (e & E_SPECIAL) {
            if (e & E_SUBTABLE) {
                bits >>= LITERAL_BITS;
                count -= LITERAL_BITS;
                e = literals[E_VALUE(e) + (bits & ((1u << E_CODE(e)) - 1))];
                if (e & E_LITERAL) {
                    bits >>= E_TAKE(e);
                    count -= E_TAKE(e);
                    *out++ = (uint8_t)(e >> 16);
                    continue;
                }
            }
            if (e & E_SPECIAL) {
                good = (e & E_END) != 0;
                *end_of_block = good;
                bits >>= E_TAKE(e);
                count -= E_TAKE(e);
                break;
            }
        }
        unsigned length = E_VALUE(e) + (unsigned)((bits & ((1ull << E_TAKE(e)) - 1)) >> E_CODE(e));
        bits >>= E_TAKE(e);
        count -= E_TAKE(e);

        e = distances[bits & ((1u << DISTANCE_BITS) - 1)];
        if (e & E_SUBTABLE) {
            bits >>= DISTANCE_BITS;
            count -= DISTANCE_BITS;
            e = distances[E_VALUE(e) + (bits & ((1u << E_CODE(e)) - 1))];
        }
        unsigned distance =
            E_VALUE(e) + (unsigned)((bits & ((1ull << E_TAKE(e)) - 1)) >> E_CODE(e));
        bits >>= E_TAKE(e);
        count -= E_TAKE(e);
        if ((e & E_INVALID) || distance > (size_t)(out - first)) {
            good = false;
            break;
        }
        copy_match(out, distance, length);
        out += length;
    }
    /* The refill counts whole bytes it has or-ed in; what lies above COUNT may be there twice. */
    s->bits = count < 64 ? bits & ((1ull << count) - 1) : bits;
    s->count = count;
    s->end = (size_t)(out - s->window);
    in->at = at;
    return good;
}

enum step { STEP_DONE, STEP_INPUT, STEP_END, STEP_WRONG };

/* Entry for the bits from SKIP on, through a subtable if need be; *USED counts the bits above SKIP
 * that lead to it, without its own. */
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

/* One symbol, or nothing at all if the bits do not suffice. */
static enum step decode_symbol(struct inflate *s, struct input *in)
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

/* Code lengths of a dynamic block, run-length coded (RFC 1951 3.2.7). */
static enum step read_codes(struct inflate *s, struct input *in)
{
    unsigned total = s->literal_count + s->distance_count;
    while (s->index < total) {
        fill(s, in);
        uint32_t e = s->length_codes[s->bits & ((1u << LENGTH_BITS) - 1)];
        if (e & E_INVALID)
            return s->count < LENGTH_BITS ? STEP_INPUT : STEP_WRONG;
        unsigned symbol = E_VALUE(e), code = E_TAKE(e);
        unsigned extra = symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
        if (code + extra > s->count)
            return STEP_INPUT;
        drop(s, code);
        if (symbol < 16) {
            s->lengths[s->index++] = (uint8_t)symbol;
            continue;
        }
        unsigned repeat = take(s, extra) + (symbol == 18 ? 11 : 3);
        uint8_t length = 0;
        if (symbol == 16) {
            if (s->index == 0)
                return STEP_WRONG;
            length = s->lengths[s->index - 1];
        }
        if (repeat > total - s->index)
            return STEP_WRONG;
        memset(s->lengths + s->index, length, repeat);
        s->index += repeat;
    }
    return STEP_DONE;
}

/* ---- Window ---- */

static void sum(struct inflate *s)
{
    s->crc = libdeflate_crc32(s->crc, s->window + s->summed, s->end - s->summed);
    s->size += (uint32_t)(s->end - s->summed);
    s->summed = s->end;
}

/* Gives decoded bytes to the caller; true when none are left. */
static bool flush(struct inflate *s, uint8_t **out, uint8_t *out_end)
{
    size_t n = s->end - s->read, room = (size_t)(out_end - *out);
    if (n > room)
        n = room;
    memcpy(*out, s->window + s->read, n);
    *out += n;
    s->read += n;
    return s->read == s->end;
}

/* Keeps the history, makes room. All bytes must have been given away. */
static void slide(struct inflate *s)
{
    size_t shift = s->end - HISTORY;
    memmove(s->window, s->window + shift, HISTORY);
    s->start = s->start > shift ? s->start - shift : 0;
    s->end = s->read = s->summed = HISTORY;
}

/* ---- Members ---- */

/* The next state after one piece was read; the same state if input ran out. */
static enum state read_header(struct inflate *s, struct input *in)
{
    while (s->index < sizeof(s->fixed)) {
        if (!have(s, in, 8))
            return S_HEADER;
        s->fixed[s->index++] = (uint8_t)take(s, 8);
    }
    if (s->fixed[0] != 0x1f || s->fixed[1] != 0x8b)
        return fail(s, "not gzip data");
    if (s->fixed[2] != 8)
        return fail(s, "unknown gzip compression method");
    s->flags = s->fixed[3];
    if (s->flags & 0xe0)
        return fail(s, "unknown flags in gzip header");
    s->crc = 0;
    s->size = 0;
    s->start = s->summed = s->end;
    s->last_block = false;
    s->index = 0;
    return s->flags & 4 ? S_EXTRA_LENGTH : S_NAME;
}

static enum state read_header_rest(struct inflate *s, struct input *in)
{
    switch (s->state) {
    case S_EXTRA_LENGTH:
        if (!have(s, in, 16))
            return s->state;
        s->remaining = take(s, 16);
        return S_EXTRA;
    case S_EXTRA:
        for (; s->remaining > 0; s->remaining--) {
            if (!have(s, in, 8))
                return s->state;
            drop(s, 8);
        }
        return S_NAME;
    case S_NAME:
    case S_COMMENT:
        if (s->flags & (s->state == S_NAME ? 8 : 16)) {
            do
                if (!have(s, in, 8))
                    return s->state;
            while (take(s, 8) != 0);
        }
        return s->state == S_NAME ? S_COMMENT : S_HEADER_CRC;
    default: /* S_HEADER_CRC, which gzip(1) does not check either */
        if (s->flags & 2) {
            if (!have(s, in, 16))
                return s->state;
            drop(s, 16);
        }
        return S_BLOCK;
    }
}

static enum state read_trailer(struct inflate *s, struct input *in)
{
    drop(s, s->count % 8);
    while (s->index < 8) {
        if (!have(s, in, 8))
            return S_TRAILER;
        s->fixed[s->index++] = (uint8_t)take(s, 8);
    }
    uint64_t trailer = load64(s->fixed);
    sum(s);
    if ((uint32_t)trailer != s->crc)
        return fail(s, "gzip checksum does not match");
    if ((uint32_t)(trailer >> 32) != s->size)
        return fail(s, "gzip length does not match");
    return S_BETWEEN;
}

/* After a member: the next one, zero padding (tape blocks), or the end. Other bytes are an error,
 * as they are for tar(1), which fails where gzip(1) warns of trailing garbage. */
static enum state read_between(struct inflate *s, struct input *in)
{
    while (have(s, in, 8)) {
        if (peek(s, 8) == 0x1f) {
            s->index = 0;
            return S_HEADER;
        }
        if (peek(s, 8) != 0)
            return fail(s, "trailing garbage after gzip data");
        drop(s, 8);
    }
    return S_BETWEEN;
}

/* ---- Blocks ---- */

static enum state read_block_start(struct inflate *s, struct input *in)
{
    if (s->last_block) {
        s->index = 0;
        return S_TRAILER;
    }
    if (!have(s, in, 3))
        return S_BLOCK;
    s->last_block = take(s, 1);
    switch (take(s, 2)) {
    case 0:
        return S_STORED_LENGTH;
    case 1:
        fixed_lengths(s);
        return build_block(s) ? S_SYMBOLS : fail(s, "invalid gzip data");
    case 2:
        return S_TABLE_SIZES;
    default:
        return fail(s, "invalid gzip data: unknown block type");
    }
}

static enum state read_stored_length(struct inflate *s, struct input *in)
{
    drop(s, s->count % 8);
    if (!have(s, in, 32))
        return S_STORED_LENGTH;
    uint32_t length = take(s, 16), complement = take(s, 16);
    if ((length ^ complement) != 0xffff)
        return fail(s, "invalid gzip data: length of a stored block");
    s->remaining = length;
    return S_STORED;
}

static enum state read_stored(struct inflate *s, struct input *in)
{
    while (s->remaining > 0 && s->end < WINDOW) {
        if (s->count >= 8) {
            s->window[s->end++] = (uint8_t)take(s, 8);
            s->remaining--;
            continue;
        }
        size_t n = (size_t)(in->end - in->at);
        if (n > s->remaining)
            n = s->remaining;
        if (n > WINDOW - s->end)
            n = WINDOW - s->end;
        if (n == 0)
            return S_STORED;
        memcpy(s->window + s->end, in->at, n);
        in->at += n;
        s->end += n;
        s->remaining -= (uint32_t)n;
    }
    return s->remaining > 0 ? S_STORED : S_BLOCK;
}

static enum state read_table_sizes(struct inflate *s, struct input *in)
{
    if (!have(s, in, 14))
        return S_TABLE_SIZES;
    s->literal_count = take(s, 5) + 257;
    s->distance_count = take(s, 5) + 1;
    s->length_count = take(s, 4) + 4;
    if (s->literal_count > 286 || s->distance_count > 30)
        return fail(s, "invalid gzip data: too many codes");
    memset(s->lengths, 0, 19);
    s->index = 0;
    return S_LENGTH_CODES;
}

static enum state read_length_codes(struct inflate *s, struct input *in)
{
    static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                      11, 4,  12, 3, 13, 2, 14, 1, 15};
    while (s->index < s->length_count) {
        if (!have(s, in, 3))
            return S_LENGTH_CODES;
        s->lengths[order[s->index++]] = (uint8_t)take(s, 3);
    }
    if (!build(s->length_codes, 1u << LENGTH_BITS, LENGTH_BITS, s->lengths, 19, length_entry,
               false))
        return fail(s, "invalid gzip data: code lengths");
    s->index = 0;
    return S_CODES;
}

static enum state read_code_table(struct inflate *s, struct input *in)
{
    switch (read_codes(s, in)) {
    case STEP_INPUT:
        return S_CODES;
    case STEP_DONE:
        break;
    default:
        return fail(s, "invalid gzip data: code lengths");
    }
    if (s->lengths[256] == 0)
        return fail(s, "invalid gzip data: no end-of-block code");
    return build_block(s) ? S_SYMBOLS : fail(s, "invalid gzip data: codes");
}

static enum state read_symbols(struct inflate *s, struct input *in)
{
    while (s->end < WINDOW) {
        if (in->end - in->at > 16) {
            bool end_of_block = false;
            if (!decode_fast(s, in, &end_of_block))
                return fail(s, "invalid gzip data");
            if (end_of_block)
                return S_BLOCK;
            continue;
        }
        switch (decode_symbol(s, in)) {
        case STEP_DONE:
            break;
        case STEP_INPUT:
            return S_SYMBOLS;
        case STEP_END:
            return S_BLOCK;
        case STEP_WRONG:
            return fail(s, "invalid gzip data");
        }
    }
    return S_SYMBOLS;
}

static enum state advance(struct inflate *s, struct input *in)
{
    switch (s->state) {
    case S_HEADER:
        return read_header(s, in);
    case S_EXTRA_LENGTH:
    case S_EXTRA:
    case S_NAME:
    case S_COMMENT:
    case S_HEADER_CRC:
        return read_header_rest(s, in);
    case S_BLOCK:
        return read_block_start(s, in);
    case S_STORED_LENGTH:
        return read_stored_length(s, in);
    case S_STORED:
        return read_stored(s, in);
    case S_TABLE_SIZES:
        return read_table_sizes(s, in);
    case S_LENGTH_CODES:
        return read_length_codes(s, in);
    case S_CODES:
        return read_code_table(s, in);
    case S_SYMBOLS:
        return read_symbols(s, in);
    case S_TRAILER:
        return read_trailer(s, in);
    case S_BETWEEN:
        return read_between(s, in);
    case S_ERROR:
        break;
    }
    return S_ERROR;
}

enum inflate_status inflate_run(struct inflate *s, const uint8_t **in_at, const uint8_t *in_end,
                                uint8_t **out, uint8_t *out_end)
{
    struct input in = {*in_at, in_end};
    enum inflate_status status;

    for (;;) {
        if (!flush(s, out, out_end)) {
            status = INFLATE_OUTPUT;
            break;
        }
        if (s->end >= WINDOW) {
            sum(s);
            slide(s);
        }
        enum state before = s->state;
        size_t end = s->end;
        s->state = advance(s, &in);
        if (s->state == S_ERROR) {
            status = INFLATE_ERROR;
            break;
        }
        /* Nothing moved although there was room: input has run out. */
        if (s->state == before && s->end == end && in.at == in.end) {
            status = before == S_BETWEEN ? INFLATE_BETWEEN : INFLATE_INPUT;
            break;
        }
    }
    *in_at = in.at;
    return status;
}
