/* Gunzip as a stream; see inflate.h.
 *
 * Data is decoded into a window of our own, 32 KiB of history and what follows it, and copied from
 * there to the caller: so a match never crosses buffers, and the window stays in the cache. What is
 * around the data is inflate_member.c's, the data's blocks are inflate_blocks.c's, and their
 * symbols inflate_symbols.c's. */
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

void inflate_sum(struct inflate *s)
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

static enum state advance(struct inflate *s, struct input *in)
{
    switch (s->state) {
    case S_HEADER:
    case S_EXTRA_LENGTH:
    case S_EXTRA:
    case S_NAME:
    case S_COMMENT:
    case S_HEADER_CRC:
    case S_TRAILER:
    case S_BETWEEN:
        return inflate_member_step(s, in);
    case S_BLOCK:
    case S_STORED_LENGTH:
    case S_STORED:
    case S_TABLE_SIZES:
    case S_LENGTH_CODES:
    case S_CODES:
    case S_SYMBOLS:
        return inflate_block_step(s, in);
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
            inflate_sum(s);
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
