/* Decoding tables for deflate's Huffman codes; see huffman.h. */
#include "huffman.h"

#define MAX_SYMBOLS 288u

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

/* A canonical code: codes of one length follow one another, shorter ones come first. */
struct code {
    unsigned counts[MAX_CODE + 1]; /* of codes by length */
    unsigned next[MAX_CODE + 2];   /* first code of a length not yet given out */
    unsigned ends[MAX_CODE + 2];   /* where the symbols of a length end in SORTED */
    unsigned longest, total;
    uint16_t sorted[MAX_SYMBOLS]; /* symbols in order of their codes */
};

/* False if LENGTHS make no code. One single code of one bit may be incomplete; for distances there
 * may be none at all (RFC 1951 3.2.7). */
static bool make_code(struct code *c, const uint8_t *lengths, unsigned n, bool may_be_empty)
{
    int left = 1;

    *c = (struct code){0};
    for (unsigned i = 0; i < n; i++)
        c->counts[lengths[i]]++;
    c->counts[0] = 0;
    for (unsigned bits = 1; bits <= MAX_CODE; bits++) {
        left = 2 * left - (int)c->counts[bits];
        if (left < 0)
            return false;
        if (c->counts[bits] != 0)
            c->longest = bits;
        c->ends[bits + 1] = c->ends[bits] + c->counts[bits];
        c->next[bits + 1] = (c->next[bits] + c->counts[bits]) << 1;
    }
    c->total = c->ends[MAX_CODE + 1];
    if (left > 0 && !(c->total == 1 && c->longest == 1) && !(c->total == 0 && may_be_empty))
        return false;
    for (unsigned i = 0; i < n; i++)
        if (lengths[i] != 0)
            c->sorted[c->ends[lengths[i]]++] = (uint16_t)i;
    return true;
}

/* Width of the subtable that begins with the symbol at AT, whose code has BITS bits. All codes of
 * one prefix follow one another, so it is as wide as the longest of them: widen until what is left
 * is filled. */
static unsigned subtable_width(const struct code *c, unsigned at, unsigned bits, unsigned root)
{
    unsigned width = bits - root;
    int open = (1 << width) - (int)(c->ends[bits] - at);
    while (open > 0 && bits < c->longest) {
        bits++;
        width++;
        open = 2 * open - (int)c->counts[bits];
    }
    return width;
}

static void fill(uint32_t *table, unsigned size, unsigned first, unsigned step, uint32_t entry)
{
    for (unsigned i = first; i < size; i += step)
        table[i] = entry;
}

static bool build(uint32_t *table, unsigned capacity, unsigned root, struct code *c,
                  const uint8_t *lengths, uint32_t (*entry)(unsigned))
{
    unsigned used = 1u << root, prefix = ~0u, start = 0, width = 0;

    fill(table, used, 0, 1, E_INVALID);
    for (unsigned i = 0; i < c->total; i++) {
        unsigned symbol = c->sorted[i], bits = lengths[symbol];
        /* Codes are read from their most significant bit on, numbers from their least. */
        unsigned reversed = reverse(c->next[bits]++, bits);
        uint32_t e = entry(symbol), extra = E_TAKE(e);
        e -= extra;
        if (bits <= root) {
            fill(table, 1u << root, reversed, 1u << bits, e | bits << 8 | (bits + extra));
            continue;
        }
        if ((reversed & ((1u << root) - 1)) != prefix) {
            prefix = reversed & ((1u << root) - 1);
            width = subtable_width(c, i, bits, root);
            start = used;
            used += 1u << width;
            if (used > capacity)
                return false;
            fill(table + start, 1u << width, 0, 1, E_INVALID);
            table[prefix] = E_SUBTABLE | start << 16 | width << 8 | root;
        }
        bits -= root;
        fill(table + start, 1u << width, reversed >> root, 1u << bits,
             e | bits << 8 | (bits + extra));
    }
    return true;
}

bool huffman_literals(uint32_t table[LITERAL_ENTRIES], const uint8_t *lengths, unsigned n)
{
    struct code c;
    return make_code(&c, lengths, n, false) &&
           build(table, LITERAL_ENTRIES, LITERAL_BITS, &c, lengths, literal_entry);
}

bool huffman_distances(uint32_t table[DISTANCE_ENTRIES], const uint8_t *lengths, unsigned n)
{
    struct code c;
    return make_code(&c, lengths, n, true) &&
           build(table, DISTANCE_ENTRIES, DISTANCE_BITS, &c, lengths, distance_entry);
}

bool huffman_lengths(uint32_t table[LENGTH_ENTRIES], const uint8_t *lengths, unsigned n)
{
    struct code c;
    return make_code(&c, lengths, n, false) &&
           build(table, LENGTH_ENTRIES, LENGTH_BITS, &c, lengths, length_entry);
}
