/* Gunzip as a stream; see inflate.h.
 *
 * Data is decoded into a window of our own, 32 KiB of history and what follows it, and copied from
 * there to the caller: so a match never crosses buffers, and the window stays in the cache. How
 * symbols are decoded is inflate_symbols.c's. */
#include <libdeflate.h>
#include <stdlib.h>

#include "inflate_state.h"

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

/* ---- Blocks: codes ---- */

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
    if (!huffman_lengths(s->length_codes, s->lengths, 19))
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
        bool is_fast = in->end - in->at > FAST_INPUT;
        switch (is_fast ? inflate_decode_fast(s, in) : inflate_decode_symbol(s, in)) {
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
