/* What is around the data of a gzip file: header, trailer and what follows (RFC 1952). */
#include "inflate_state.h"

static enum state read_header(struct inflate *s, struct input *in)
{
    while (s->index < sizeof(s->fixed)) {
        if (!have(s, in, 8))
            return S_HEADER;
        s->fixed[s->index++] = (uint8_t)take(s, 8);
    }
    if (s->fixed[0] != 0x1f || s->fixed[1] != 0x8b)
        return inflate_fail(s, "not gzip data");
    if (s->fixed[2] != 8)
        return inflate_fail(s, "unknown gzip compression method");
    s->flags = s->fixed[3];
    if (s->flags & 0xe0)
        return inflate_fail(s, "unknown flags in gzip header");
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
    inflate_sum(s);
    if ((uint32_t)trailer != s->crc)
        return inflate_fail(s, "gzip checksum does not match");
    if ((uint32_t)(trailer >> 32) != s->size)
        return inflate_fail(s, "gzip length does not match");
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
            return inflate_fail(s, "trailing garbage after gzip data");
        drop(s, 8);
    }
    return S_BETWEEN;
}

enum state inflate_member_step(struct inflate *s, struct input *in)
{
    switch (s->state) {
    case S_HEADER:
        return read_header(s, in);
    case S_TRAILER:
        return read_trailer(s, in);
    case S_BETWEEN:
        return read_between(s, in);
    default:
        return read_header_rest(s, in);
    }
}
