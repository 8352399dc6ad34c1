/* Data into literals and matches: the first match that is found, or that at the next byte if it is
 * longer.
 *
 * There is one candidate for each position: where five bytes with the same hash were seen last. By
 * four bytes there would be half as many matches more, most of them short and far away: a little
 * smaller, and slower. */
#include "deflate_state.h"

#define MATCH_MIN 4u
/* A longer match is taken at once. */
#define GOOD_LENGTH 32u
/* 256 bytes without a match, and every second is skipped, then two of three and so on. */
#define SKIP_SHIFT 8u
/* What may be read behind a position without a look at the end. */
#define MARGIN 16

static inline uint32_t hash(uint64_t bytes)
{
    return (uint32_t)(((bytes << 24) * 0x9e3779b185ebca87ull) >> (64 - HASH_BITS));
}

static inline void remember(struct deflate *d, const uint8_t *begin, const uint8_t *at)
{
    d->last[hash(load64(at))] = (uint16_t)(at - begin);
}

/* The distance from AT to its candidate, whose place AT takes. It is never more than there is
 * behind AT: what was not seen yet counts as seen at the begin. */
static inline size_t look_up(struct deflate *d, const uint8_t *begin, const uint8_t *at)
{
    uint32_t position = (uint32_t)(at - begin);
    uint16_t *last = &d->last[hash(load64(at))];
    uint32_t distance = ((position - 1 - *last) & (DISTANCE_MAX - 1)) + 1;

    *last = (uint16_t)position;
    return distance;
}

/* Length of the match at AT, whose first four bytes are known to be equal; at least MARGIN bytes
 * follow. */
static inline size_t match_length(const uint8_t *at, size_t distance, const uint8_t *end)
{
    const uint8_t *from = at - distance, *p = at + 4;
    const uint8_t *limit = end - at > MATCH_MAX ? at + MATCH_MAX : end;
    uint64_t differs = load64(p) ^ load64(p - distance);

    if (__builtin_expect(differs != 0, 1))
        return 4 + ((unsigned)__builtin_ctzll(differs) >> 3);
    for (p += 8; limit - p >= 8; p += 8) {
        differs = load64(p) ^ load64(p - distance);
        if (differs != 0)
            return (size_t)(p - at) + ((unsigned)__builtin_ctzll(differs) >> 3);
    }
    while (p < limit && *p == from[p - at])
        p++;
    return (size_t)(p - at);
}

/* Copies what is a few bytes most of the time; may read and write up to MARGIN bytes more. */
static inline void copy_literals(uint8_t *to, const uint8_t *from, size_t count)
{
    const uint8_t *end = to + count;
    do {
        memcpy(to, from, MARGIN);
        to += MARGIN;
        from += MARGIN;
    } while (to < end);
}

/* LITERALS literals and a match. */
static inline struct sequence make_sequence(struct counts *counts, size_t literals, size_t length,
                                            size_t distance)
{
    static const uint8_t symbols[256] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  8,  9,  9,  10, 10, 11, 11, 12, 12, 12, 12, 13, 13,
        13, 13, 14, 14, 14, 14, 15, 15, 15, 15, 16, 16, 16, 16, 16, 16, 16, 16, 17, 17, 17, 17,
        17, 17, 17, 17, 18, 18, 18, 18, 18, 18, 18, 18, 19, 19, 19, 19, 19, 19, 19, 19, 20, 20,
        20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 21, 21, 21, 21, 21, 21, 21, 21,
        21, 21, 21, 21, 21, 21, 21, 21, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22,
        22, 22, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 24, 24, 24, 24,
        24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24,
        24, 24, 24, 24, 24, 24, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25,
        25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 26, 26, 26, 26, 26, 26,
        26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26,
        26, 26, 26, 26, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27,
        27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 28};
    uint32_t rest = (uint32_t)distance - 1;
    /* The two highest bits say which symbol; of distances up to 4 that takes one more. */
    unsigned high = highest_bit(rest | 2), symbol = 2 * high + ((rest >> (high - 1)) & 1);
    symbol = rest < 2 ? rest : symbol;
    uint32_t extra = rest & ((1u << (high - 1)) - 1);

    counts->literals[FIRST_LENGTH + symbols[length - 3]]++;
    counts->distances[symbol]++;
    return (struct sequence){(uint32_t)literals,
                             (uint32_t)(length - 3) | symbol << 9 | extra << 14};
}

struct match {
    const uint8_t *at;
    size_t length, distance;
};

/* From the match at AT to a longer one at the next byte, if there is one. */
static inline void try_next(struct deflate *d, const uint8_t *begin, const uint8_t *end,
                            struct match *match)
{
    const uint8_t *next = match->at + 1, *tail = next + match->length - 3;

    if (match->length >= GOOD_LENGTH || (size_t)(end - next) <= match->length)
        return;
    size_t distance = look_up(d, begin, next);
    /* Where it would have to be longer it differs most often. */
    if (load32(tail) != load32(tail - distance) || load32(next) != load32(next - distance))
        return;
    size_t length = match_length(next, distance, end);
    if (length > match->length)
        *match = (struct match){next, length, distance};
}

/* Bytes before a match may be equal, too: not each was looked up, and not each is remembered. */
static inline void extend_back(const uint8_t *begin, const uint8_t *anchor, struct match *match)
{
    const uint8_t *at = match->at, *from = at - match->distance;

    while (at > anchor && from > begin && at[-1] == from[-1] && match->length < MATCH_MAX) {
        at--;
        from--;
        match->length++;
    }
    match->at = at;
}

const uint8_t *deflate_match(struct deflate *d, const uint8_t *begin, const uint8_t *at,
                             const uint8_t *end)
{
    /* Up to ANCHOR all has become sequences. */
    const uint8_t *anchor = at, *limit = end - at > MARGIN ? end - MARGIN : at;
    struct sequence *sequence = d->sequences + d->sequence_count;
    uint8_t *literals = d->literals + d->literal_count;
    size_t symbols = 0;
    bool is_last = limit - at <= CHUNK_DATA;

    if (!is_last)
        limit = at + CHUNK_DATA;
    if (at == begin && at < limit)
        at++; /* there is nothing behind it */
    while (at < limit) {
        size_t distance = look_up(d, begin, at);
        if (load32(at) != load32(at - distance)) {
            at += 1 + ((size_t)(at - anchor) >> SKIP_SHIFT);
            continue;
        }
        struct match match = {at, match_length(at, distance, end), distance};
        try_next(d, begin, end, &match);
        extend_back(begin, anchor, &match);
        size_t count = (size_t)(match.at - anchor);
        copy_literals(literals, anchor, count);
        literals += count;
        *sequence++ = make_sequence(&d->chunk, count, match.length, match.distance);
        symbols += count + 1;
        anchor = at = match.at + match.length;
        if (at >= limit || symbols >= CHUNK_SYMBOLS)
            break;
        /* More would find more, but cost more than that is worth. */
        remember(d, begin, match.at + 2);
        remember(d, begin, match.at + 3);
        remember(d, begin, at - 2);
        remember(d, begin, at - 1);
    }
    if (at >= limit) {
        /* Skipping may have gone too far. */
        at = is_last ? end : limit > anchor ? limit : anchor;
        size_t count = (size_t)(at - anchor);
        memcpy(literals, anchor, count);
        literals += count;
        if (count > 0)
            *sequence++ = (struct sequence){(uint32_t)count, NO_MATCH};
    }
    d->sequence_count = (size_t)(sequence - d->sequences);
    d->literal_count = (size_t)(literals - d->literals);
    return at;
}
