/* Our gzip: zlib and our own inflate must give back what went in, of every kind and size; it must
 * keep to the room that it has, and the same data must give the same bytes, everywhere (this runs
 * under sanitizers). */
#include <pthread.h>
#include <zlib.h>

#include "../ch.h"
#include "../shim/deflate.h"
#include "../shim/inflate.h"
#include "../shim/sha256.h"
#include "check.h"
#include "sample_data.h"

#define PIECE (1u << 20)

static bool zlib_gives_back(const uint8_t *packed, size_t n, const uint8_t *data, size_t size)
{
    uint8_t *out = malloc(size + 1);
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed,
                  .avail_in = (uInt)n,
                  .next_out = out,
                  .avail_out = (uInt)size + 1};
    bool good = inflateInit2(&z, 31) == Z_OK && inflate(&z, Z_FINISH) == Z_STREAM_END &&
                z.total_out == size && z.avail_in == 0 && memcmp(out, data, size) == 0;
    inflateEnd(&z);
    free(out);
    return good;
}

static bool inflate_gives_back(const uint8_t *packed, size_t n, const uint8_t *data, size_t size)
{
    uint8_t *out = malloc(size + 1), *end = out;
    struct inflate *s = inflate_new();
    enum inflate_status status = inflate_run(s, &packed, packed + n, &end, out + size + 1);
    bool good = status == INFLATE_BETWEEN && end == out + size && memcmp(out, data, size) == 0;
    inflate_free(s);
    free(out);
    return good;
}

/* What DATA is compressed to, in memory just as large as it may have to be; *N: its size. */
static uint8_t *compress_data(struct deflate *d, const uint8_t *data, size_t size, size_t *n)
{
    size_t bound = deflate_bound(size);
    uint8_t *in = malloc(size + (size == 0)), *packed = malloc(bound);
    memcpy(in, data, size);
    *n = deflate_gzip(d, in, size, packed, bound);
    free(in);
    return packed;
}

/* The size it was compressed to; 0 if it does not come back. */
static size_t round_trip(struct deflate *d, const uint8_t *data, size_t size)
{
    size_t n;
    uint8_t *packed = compress_data(d, data, size, &n);
    bool good = n != 0 && zlib_gives_back(packed, n, data, size) &&
                inflate_gives_back(packed, n, data, size);
    free(packed);
    return good ? n : 0;
}

static uint8_t data[3 * PIECE];

static void test_sizes(struct deflate *d)
{
    static const size_t large[] = {8191,  8192,  8193,  32767,     32768, 32769,    32784,
                                   32785, 65535, 65536, PIECE - 1, PIECE, PIECE + 1};
    bool good = true, good_large = true;
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t size = 0; size <= 700; size++) {
            make_sample(data, size, kind);
            good &= round_trip(d, data, size) != 0;
        }
        for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
            make_sample(data, large[i], kind);
            good_large &= round_trip(d, data, large[i]) != 0;
        }
    }
    check(good, "deflate: data of every kind and of 0 to 700 bytes comes back");
    check(good_large, "deflate: data about as large as chunks, blocks and pieces comes back");
    check(round_trip(d, data, 0) == 20, "deflate makes 20 bytes of nothing");
}

static void test_compression(struct deflate *d)
{
    static const struct {
        enum sample kind;
        size_t most;
        const char *name;
    } cases[] = {
        {ZEROS, PIECE / 500, "deflate makes next to nothing of zeros"},
        {NOISE, PIECE + PIECE / 1000, "deflate stores noise"},
        {TEXT, PIECE / 3, "deflate makes a third of text or less"},
        {FEW, PIECE / 3, "deflate gives frequent bytes short codes"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make_sample(data, PIECE, cases[i].kind);
        size_t n = round_trip(d, data, PIECE);
        check(n != 0 && n <= cases[i].most, "%s", cases[i].name);
    }
}

/* The size of noise that begins anew after every PERIOD bytes. */
static size_t pack_periods(struct deflate *d, size_t period)
{
    make_sample(data, period, NOISE);
    for (size_t k = period; k < 200000; k++)
        data[k] = data[k - period];
    return round_trip(d, data, 200000);
}

static void test_distances(struct deflate *d)
{
    static const uint32_t periods[] = {1,   2,   3,   4,    5,     7,     8,    9,
                                       257, 258, 259, 4097, 24577, 32767, 32768};
    bool good = true;
    for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
        size_t n = pack_periods(d, periods[i]);
        /* Where it finds nothing it does not look at every byte. */
        good &= n != 0 && n < 3 * periods[i] + 4000;
    }
    check(good, "deflate finds repetitions at distances from 1 to 32768");
    check(pack_periods(d, 32769) > 200000, "deflate looks no farther than the window");
}

/* Pieces of all kinds one behind the other. */
static size_t make_mixture(size_t most)
{
    size_t size = 0;
    for (uint32_t parts = 1 + random_number(12); parts > 0 && size < most; parts--) {
        size_t n = random_number(1u << random_number(18));
        n = n < most - size ? n : most - size;
        if (size > 0 && random_number(3) == 0) {
            size_t from = random_number((uint32_t)size);
            for (size_t i = 0; i < n; i++)
                data[size + i] = data[from + i];
        } else {
            make_sample(data + size, n, random_number(KINDS));
        }
        size += n;
    }
    return size;
}

static void test_mixtures(struct deflate *d)
{
    bool good = true;
    for (int i = 0; i < 400; i++) {
        size_t size = make_mixture(PIECE);
        good &= round_trip(d, data, size) != 0;
    }
    check(good, "deflate: mixtures of data come back");
    FILE *f = fopen("/proc/self/exe", "r");
    size_t size = fread(data, 1, sizeof(data), f);
    fclose(f);
    check(size > PIECE && round_trip(d, data, size) != 0, "deflate: a program comes back");
}

static void test_room(struct deflate *d)
{
    bool fits = true, fails = true;
    for (int i = 0; i < 300; i++) {
        size_t size = i < KINDS * 20 ? (size_t)i * 40 : make_mixture(100000), n;
        if (i < KINDS * 20)
            make_sample(data, size, i % KINDS);
        free(compress_data(d, data, size, &n));
        uint8_t *exact = malloc(n);
        fits &= n != 0 && deflate_gzip(d, data, size, exact, n) == n;
        free(exact);
        for (int k = 0; k < 20; k++) {
            size_t less = k == 0 ? n - 1 : random_number((uint32_t)n);
            uint8_t *small = malloc(less + (less == 0));
            fails &= deflate_gzip(d, data, size, small, less) == 0;
            free(small);
        }
    }
    check(fits, "deflate needs no more room than its result takes");
    check(fails, "deflate fails where there is less room");
}

static void test_compress(void)
{
    struct ch_error err = {0};
    uint64_t bound = 0, produced = 0;
    bool good = true;
    for (uint64_t size = 0; size < 1u << 24; size = size * 3 + 1)
        good &= ch_compress_bound(1, size, &bound, &err) == 0 && bound >= deflate_bound(size);
    check(good, "ch_compress_bound() has room for deflate");
    make_sample(data, 50000, TEXT);
    uint8_t *packed = malloc(bound);
    check(ch_compress(1, 1, data, 50000, packed, bound, &produced, &err) == 0 &&
              zlib_gives_back(packed, produced, data, 50000),
          "ch_compress() uses it for level 1 of gzip");
    check(ch_compress(1, 1, data, 50000, packed, 100, &produced, &err) == -ENOSPC,
          "ch_compress() says ENOSPC when there is too little room");
    check(ch_compress(1, 1, NULL, 0, packed, bound, &produced, &err) == 0 && produced == 20,
          "ch_compress() takes no data");
    free(packed);
}

#define DIGESTED 12u

/* Digest of what the first pieces of DATA are compressed to. */
static void *digest_pieces(void *digest)
{
    struct deflate *d = deflate_new();
    struct sha256 sum;
    sha256_begin(&sum);
    for (size_t i = 0; i < DIGESTED; i++) {
        size_t n, size = PIECE / 4;
        uint8_t *packed = compress_data(d, data + i * size, size, &n);
        sha256_add(&sum, packed, n);
        free(packed);
    }
    sha256_end(&sum, digest);
    deflate_free(d);
    return NULL;
}

static void test_determinism(void)
{
    static const char expected[] =
        "65a909a59b34a819891f6c2a6dce97c251de3776e75890d2acd3d4198ace007f";
    uint8_t digests[5][SHA256_SIZE];
    char text[2 * SHA256_SIZE + 1];
    pthread_t threads[4];
    bool good = true;

    seed = 2026;
    for (size_t size = 0; size < sizeof(data);) {
        size_t n = 1 + random_number(100000), left = sizeof(data) - size;
        n = n < left ? n : left;
        make_sample(data + size, n, random_number(KINDS));
        size += n;
    }
    digest_pieces(digests[4]);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, digest_pieces, digests[i]);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        good &= memcmp(digests[i], digests[4], SHA256_SIZE) == 0;
    }
    check(good, "deflate makes the same of the same data, in several threads, too");
    for (unsigned i = 0; i < SHA256_SIZE; i++)
        sprintf(text + (size_t)2 * i, "%02x", digests[4][i]);
    /* Another version may make something else; another machine may not. */
    if (!check(strcmp(text, expected) == 0, "deflate makes the same on every machine"))
        printf("# got %s\n", text);
}

int main(void)
{
    struct deflate *d = deflate_new();
    test_sizes(d);
    test_compression(d);
    test_distances(d);
    test_mixtures(d);
    test_room(d);
    test_compress();
    test_determinism();
    deflate_free(d);
    return check_failures != 0;
}
