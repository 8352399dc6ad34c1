/* Gunzip against zlib: whatever zlib makes must come back, in pieces of any size; whatever is
 * damaged must be refused or, where the sums do not see it, at least not do harm (this runs under
 * sanitizers). */
#include <zlib.h>

#include "../shim/inflate.h"
#include "check.h"
#include "sample_data.h"

/* Kinds of data: noise, text-like, long repetitions, one byte. */
static void make_data(uint8_t *data, size_t size, int kind)
{
    for (size_t i = 0; i < size; i++) {
        if (kind == 0)
            data[i] = (uint8_t)random_number(256);
        else if (kind == 1)
            data[i] = (uint8_t)("etaoin shrdlu\n"[random_number(3) ? random_number(6)
                                                                   : random_number(14)]);
        else if (kind == 2)
            data[i] = i >= 7 && random_number(500) ? data[i - 1 - random_number(2) * 6]
                                                   : (uint8_t)random_number(256);
        else
            data[i] = 'x';
    }
}

/* One member; STRATEGY also forces stored and fixed blocks. */
static size_t compress_data(const uint8_t *data, size_t size, uint8_t *out, size_t capacity,
                            int level, int strategy)
{
    z_stream z = {0};
    gz_header header = {.name = (Bytef *)"name",
                        .comment = (Bytef *)"comment",
                        .extra = (Bytef *)"extra",
                        .extra_len = 5,
                        .hcrc = 1};
    if (deflateInit2(&z, level, Z_DEFLATED, 31, 8, strategy) != Z_OK)
        abort();
    if (level == 9)
        deflateSetHeader(&z, &header);
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)size;
    z.next_out = out;
    z.avail_out = (uInt)capacity;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    size_t made = z.total_out;
    deflateEnd(&z);
    return made;
}

/* All of IN in random pieces of at most PIECE bytes; the status at its end. *MADE: bytes of output.
 */
static enum inflate_status run(const uint8_t *in, size_t size, uint8_t *out, size_t capacity,
                               uint32_t piece, size_t *made)
{
    struct inflate *s = inflate_new();
    enum inflate_status status = INFLATE_INPUT;
    size_t used = 0;
    *made = 0;
    while (*made <= capacity) {
        size_t n = 1 + random_number(piece), room = 1 + random_number(piece);
        if (n > size - used)
            n = size - used;
        if (room > capacity - *made)
            room = capacity - *made;
        /* Copies, so that the sanitizer sees the ends. */
        uint8_t *from = malloc(n + 1), *to = malloc(room + 1);
        memcpy(from, in + used, n);
        const uint8_t *at = from;
        uint8_t *end = to;
        status = inflate_run(s, &at, from + n, &end, to + room);
        used += (size_t)(at - from);
        memcpy(out + *made, to, (size_t)(end - to));
        *made += (size_t)(end - to);
        bool stuck = at == from && end == to;
        free(from);
        free(to);
        if (status == INFLATE_ERROR || (used == size && status != INFLATE_OUTPUT) ||
            (stuck && room == 0))
            break;
    }
    inflate_free(s);
    return status;
}

#define SIZE (300u * 1024)
static uint8_t data[SIZE], packed[2 * SIZE + 4096], out[2 * SIZE + 4096];

static void test_round_trips(void)
{
    static const uint32_t pieces[] = {1, 3, 100, 5000, 1u << 20};
    bool good = true;
    for (int kind = 0; kind < 4; kind++)
        for (int level = 0; level <= 9; level += 3)
            for (int strategy = Z_DEFAULT_STRATEGY; strategy <= Z_FIXED; strategy++)
                for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
                    size_t size = 1 + random_number(p < 2 ? 4000 : p == 2 ? 40000 : SIZE), made;
                    make_data(data, size, kind);
                    size_t n = compress_data(data, size, packed, sizeof(packed), level, strategy);
                    enum inflate_status status = run(packed, n, out, sizeof(out), pieces[p], &made);
                    good &=
                        status == INFLATE_BETWEEN && made == size && memcmp(out, data, size) == 0;
                }
    check(good, "inflate gives back what zlib compressed, in pieces of any size");
}

static void test_members(void)
{
    size_t made, n = 0, total = 0;
    for (int i = 0; i < 5; i++) {
        make_data(data + total, 1000, i % 4);
        n += compress_data(data + total, 1000, packed + n, sizeof(packed) - n, 6,
                           Z_DEFAULT_STRATEGY);
        total += 1000;
    }
    memset(packed + n, 0, 1000);
    enum inflate_status status = run(packed, n + 1000, out, sizeof(out), 300, &made);
    check(status == INFLATE_BETWEEN && made == total && memcmp(out, data, total) == 0,
          "inflate goes from member to member and over zeros at the end");
    packed[n + 500] = 'x';
    check(run(packed, n + 1000, out, sizeof(out), 300, &made) == INFLATE_ERROR,
          "inflate refuses trailing garbage");
}

static void test_truncation(void)
{
    bool good = true;
    size_t made;
    make_data(data, 20000, 1);
    size_t n = compress_data(data, 20000, packed, sizeof(packed), 9, Z_DEFAULT_STRATEGY);
    for (size_t cut = 1; cut < n; cut++)
        good &= run(packed, cut, out, sizeof(out), 1u << 16, &made) == INFLATE_INPUT;
    check(good, "inflate wants more wherever data is cut off");
}

static void test_damage(void)
{
    bool good = true;
    size_t made;
    for (int i = 0; i < 2000; i++) {
        size_t size = 1 + random_number(3000);
        make_data(data, size, i % 4);
        size_t n = compress_data(data, size, packed, sizeof(packed), i % 10, i % 5);
        /* Behind the header, where every bit counts. */
        size_t at = i % 10 == 9 ? n - 1 - random_number(8) : 10 + random_number((uint32_t)n - 10);
        packed[at] ^= (uint8_t)(1u << random_number(8));
        enum inflate_status status = run(packed, n, out, sizeof(out), 1u << 16, &made);
        good &= status != INFLATE_BETWEEN || (made == size && memcmp(out, data, size) == 0);
    }
    check(good, "inflate never takes damaged data for good");
}

static void test_noise(void)
{
    size_t made;
    for (int i = 0; i < 2000; i++) {
        size_t size = 20 + random_number(2000);
        make_data(packed, size, 0);
        memcpy(packed, "\x1f\x8b\x08\0\0\0\0\0\0\3", 10);
        run(packed, size, out, sizeof(out), 1u << 16, &made);
    }
    check(true, "inflate survives noise");
}

int main(void)
{
    test_round_trips();
    test_members();
    test_truncation();
    test_damage();
    test_noise();
    return check_failures != 0;
}
