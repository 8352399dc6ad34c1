/* Huffman codes of limited length for a block, and their description at its head (RFC 1951 3.2.2
 * and 3.2.7). */
#include "deflate_state.h"

#define SYMBOLS_MAX 288u
#define LENGTH_SYMBOLS 19u
#define LENGTH_CODE_MAX 7u

/* Counts are below 2^18: of literals and matches in a block. */
_Static_assert(BLOCK_SYMBOLS + CHUNK_SYMBOLS + CHUNK_DATA < 1u << 18,
               "counts are sorted by 18 bits");
#define DIGIT_BITS 9u
#define DIGITS (1u << DIGIT_BITS)

/* KEYS are symbols in the low 9 bits, counts above; sorted by count. */
static void sort_keys(uint32_t *keys, unsigned n)
{
    uint32_t other[SYMBOLS_MAX], *from = keys, *to = other;

    for (unsigned shift = 9; shift < 9 + 2 * DIGIT_BITS; shift += DIGIT_BITS) {
        uint16_t starts[DIGITS + 1] = {0};
        for (unsigned i = 0; i < n; i++)
            starts[((from[i] >> shift) & (DIGITS - 1)) + 1]++;
        for (unsigned i = 1; i < DIGITS; i++)
            starts[i] = (uint16_t)(starts[i] + starts[i - 1]);
        for (unsigned i = 0; i < n; i++)
            to[starts[(from[i] >> shift) & (DIGITS - 1)]++] = from[i];
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
}

/* Huffman's tree of N >= 2 leaves with the counts in the sorted KEYS: how many leaves there are of
 * each depth, deeper ones than MAX counted as such. */
static void count_depths(const uint32_t *keys, unsigned n, unsigned max, uint32_t *of_depth)
{
    uint32_t leaves[SYMBOLS_MAX + 1], nodes[SYMBOLS_MAX];
    uint16_t parents[SYMBOLS_MAX], of_node[SYMBOLS_MAX] = {0};
    unsigned leaf = 0, node = 0;

    for (unsigned i = 0; i < n; i++)
        leaves[i] = keys[i] >> 9;
    leaves[n] = UINT32_MAX;
    /* Each node joins the two lightest of leaves and nodes that have no parent yet. Nodes come in
     * order of their weights, too. Which it is nobody can predict, so there are no branches. */
    for (unsigned i = 0; i < n - 1; i++) {
        uint32_t weight = 0;
        nodes[i] = UINT32_MAX;
        for (unsigned k = 0; k < 2; k++) {
            bool is_node = nodes[node] < leaves[leaf];
            weight += is_node ? nodes[node] : leaves[leaf];
            parents[node] = (uint16_t)i; /* overwritten if it was the leaf */
            node += is_node;
            leaf += !is_node;
        }
        nodes[i] = weight;
    }
    /* From the root, the last, on: so many places as nodes one level up have below them, less those
     * that nodes take, are leaves. */
    uint16_t inner[SYMBOLS_MAX] = {1};
    of_node[n - 2] = 0;
    for (unsigned i = n - 2; i-- > 0;) {
        of_node[i] = (uint16_t)(of_node[parents[i]] + 1);
        inner[of_node[i]]++;
    }
    for (unsigned depth = 1, places = 2; places > 0; depth++) {
        unsigned taken = depth < n ? inner[depth] : 0;
        of_depth[depth < max ? depth : max] += places - taken;
        places = 2 * taken;
    }
}

/* Lengths of codes for N symbols that occur as often as COUNTS say, none longer than MAX; 0 for
 * those that don't occur. */
static void make_lengths(const uint32_t *counts, unsigned n, unsigned max, uint8_t *lengths)
{
    uint32_t keys[SYMBOLS_MAX], of_length[DISTANCE_CODE_MAX + 1] = {0};
    unsigned used = 0;

    for (unsigned i = 0; i < n; i++) {
        lengths[i] = 0;
        if (counts[i] != 0)
            keys[used++] = counts[i] << 9 | i;
    }
    if (used < 2) {
        if (used == 1)
            lengths[keys[0] & 511] = 1;
        return;
    }
    sort_keys(keys, used);
    count_depths(keys, used, max, of_length);

    /* Codes that were too long take more now than there is to share: so others become one bit
     * longer, the longest possible first. */
    uint32_t taken = 0;
    for (unsigned length = 1; length <= max; length++)
        taken += of_length[length] << (max - length);
    for (; taken > 1u << max; taken--) {
        unsigned length = max - 1;
        while (of_length[length] == 0)
            length--;
        of_length[length]--;
        of_length[length + 1] += 2;
        of_length[max]--;
    }
    unsigned rarest = 0;
    for (unsigned length = max; length > 0; length--)
        for (uint32_t i = 0; i < of_length[length]; i++)
            lengths[keys[rarest++] & 511] = (uint8_t)length;
}

/* Codes in order of their lengths and symbols, their bits reversed as they are sent. */
static void make_codes(const uint8_t *lengths, unsigned n, uint16_t *codes)
{
    unsigned of_length[DISTANCE_CODE_MAX + 1] = {0}, next[DISTANCE_CODE_MAX + 2] = {0};

    for (unsigned i = 0; i < n; i++)
        of_length[lengths[i]]++;
    of_length[0] = 0;
    for (unsigned i = 1; i <= DISTANCE_CODE_MAX; i++)
        next[i + 1] = (next[i] + of_length[i]) << 1;
    for (unsigned i = 0; i < n; i++) {
        uint32_t code = lengths[i] == 0 ? 0 : next[lengths[i]]++;
        code = (code & 0x5555) << 1 | (code >> 1 & 0x5555);
        code = (code & 0x3333) << 2 | (code >> 2 & 0x3333);
        code = (code & 0x0f0f) << 4 | (code >> 4 & 0x0f0f);
        code = (code & 0x00ff) << 8 | code >> 8;
        codes[i] = (uint16_t)(code >> (16 - lengths[i]));
    }
}

void deflate_make_lengths(const struct counts *counts, struct codes *codes)
{
    make_lengths(counts->literals, 288, LITERAL_CODE_MAX, codes->literal_lengths);
    make_lengths(counts->distances, 32, DISTANCE_CODE_MAX, codes->distance_lengths);
}

void deflate_fixed_lengths(struct codes *codes)
{
    memset(codes->literal_lengths, 8, 144);
    memset(codes->literal_lengths + 144, 9, 112);
    memset(codes->literal_lengths + 256, 7, 24);
    memset(codes->literal_lengths + 280, 8, 8);
    memset(codes->distance_lengths, 5, 32);
}

void deflate_make_codes(struct codes *codes)
{
    make_codes(codes->literal_lengths, 288, codes->literals);
    make_codes(codes->distance_lengths, 32, codes->distances);
}

/* One run of COUNT times LENGTH. */
static void add_run(struct code_table *table, unsigned length, unsigned count)
{
    while (count > 0) {
        unsigned run = 1, symbol = length, extra = 0;
        if (length == 0 && count >= 11) {
            run = count < 138 ? count : 138;
            symbol = 18;
            extra = run - 11;
        } else if (length == 0 && count >= 3) {
            run = count;
            symbol = 17;
            extra = run - 3;
        }
        table->runs[table->run_count++] = (uint16_t)(symbol | extra << 5);
        count -= run;
        while (length != 0 && count >= 3) {
            run = count < 6 ? count : 6;
            table->runs[table->run_count++] = (uint16_t)(16 | (run - 3) << 5);
            count -= run;
        }
    }
}

static const uint8_t run_extra[LENGTH_SYMBOLS] = {[16] = 2, [17] = 3, [18] = 7};
static const uint8_t order[LENGTH_SYMBOLS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                              11, 4,  12, 3, 13, 2, 14, 1, 15};

unsigned deflate_make_table(const struct codes *codes, struct code_table *table)
{
    uint8_t lengths[LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
    uint32_t counts[LENGTH_SYMBOLS] = {0};
    unsigned literals = LITERAL_SYMBOLS, distances = DISTANCE_SYMBOLS;

    while (literals > FIRST_LENGTH && codes->literal_lengths[literals - 1] == 0)
        literals--;
    while (distances > 1 && codes->distance_lengths[distances - 1] == 0)
        distances--;
    memcpy(lengths, codes->literal_lengths, literals);
    memcpy(lengths + literals, codes->distance_lengths, distances);
    table->literals = literals;
    table->distances = distances;
    table->run_count = 0;
    for (unsigned i = 0, begin = 0; i < literals + distances; begin = i) {
        while (i < literals + distances && lengths[i] == lengths[begin])
            i++;
        add_run(table, lengths[begin], i - begin);
    }
    for (unsigned i = 0; i < table->run_count; i++)
        counts[table->runs[i] & 31]++;
    make_lengths(counts, LENGTH_SYMBOLS, LENGTH_CODE_MAX, table->length_lengths);
    make_codes(table->length_lengths, LENGTH_SYMBOLS, table->length_codes);
    table->lengths = LENGTH_SYMBOLS;
    while (table->lengths > 4 && table->length_lengths[order[table->lengths - 1]] == 0)
        table->lengths--;
    unsigned bits = 14 + 3 * table->lengths;
    for (unsigned i = 0; i < LENGTH_SYMBOLS; i++)
        bits += counts[i] * (table->length_lengths[i] + run_extra[i]);
    return bits;
}

void deflate_write_table(const struct code_table *table, struct writer *w)
{
    put(w, table->literals - 257, 5);
    put(w, table->distances - 1, 5);
    put(w, table->lengths - 4, 4);
    flush(w);
    for (unsigned i = 0; i < table->lengths; i++) {
        put(w, table->length_lengths[order[i]], 3);
        flush(w);
    }
    for (unsigned i = 0; i < table->run_count; i++) {
        unsigned symbol = table->runs[i] & 31;
        put(w, table->length_codes[symbol], table->length_lengths[symbol]);
        put(w, table->runs[i] >> 5, run_extra[symbol]);
        flush(w);
    }
}
