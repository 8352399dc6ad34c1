/* The blocks of deflated data (RFC 1951): their headers and codes, and what is stored as it is. */
#include "inflate_state.h"

static bool build_block(struct inflate *s)
{
    return huffman_literals(s->literals, s->lengths, s->literal_count) &&
           huffman_distances(s->distances, s->lengths + s->literal_count, s->distance_count);
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
        return build_block(s) ? S_SYMBOLS : inflate_fail(s, "invalid gzip data");
    case 2:
        return S_TABLE_SIZES;
    default:
        return inflate_fail(s, "invalid gzip data: unknown block type");
    }
}

static enum state read_stored_length(struct inflate *s, struct input *in)
{
    drop(s, s->count % 8);
    if (!have(s, in, 32))
        return S_STORED_LENGTH;
    uint32_t length = take(s, 16), complement = take(s, 16);
    if ((length ^ complement) != 0xffff)
        return inflate_fail(s, "invalid gzip data: length of a stored block");
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
        return inflate_fail(s, "invalid gzip data: too many codes");
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
    if (!huffman_lengths(s->length_codes, s->lengths, 19))
        return inflate_fail(s, "invalid gzip data: code lengths");
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
        return inflate_fail(s, "invalid gzip data: code lengths");
    }
    if (s->lengths[256] == 0)
        return inflate_fail(s, "invalid gzip data: no end-of-block code");
    return build_block(s) ? S_SYMBOLS : inflate_fail(s, "invalid gzip data: codes");
}

static enum state read_symbols(struct inflate *s, struct input *in)
{
    while (s->end < WINDOW) {
        bool is_fast = in->end - in->at > FAST_INPUT;
        switch (is_fast ? inflate_decode_fast(s, in) : inflate_decode_symbol(s, in)) {
        case STEP_DONE:
            break;
        case STEP_INPUT:
            return S_SYMBOLS;
        case STEP_END:
            return S_BLOCK;
        case STEP_WRONG:
            return inflate_fail(s, "invalid gzip data");
        }
    }
    return S_SYMBOLS;
}

enum state inflate_block_step(struct inflate *s, struct input *in)
{
    switch (s->state) {
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
    default: /* S_BLOCK */
        return read_block_start(s, in);
    }
}
