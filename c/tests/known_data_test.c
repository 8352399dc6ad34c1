/* Recognising data by a keyed hash: what is the same is found, what differs anywhere is not. */
#include "../shim/known_data.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static struct keyed_hash hash;

static bool same(struct keyed_digest x, struct keyed_digest y)
{
    return x.a == y.a && x.b == y.b;
}

static void test_data(void)
{
    uint8_t bytes[200] = {0};
    bool good = true;

    for (size_t size = 1; size <= sizeof(bytes); size++) {
        /* Of its own size, so that reading too far is seen. */
        uint8_t *copy = malloc(size);
        struct keyed_digest before;
        for (size_t i = 0; i < size; i++)
            copy[i] = bytes[i] = (uint8_t)(i * 37 + size);
        before = keyed_hash_data(&hash, copy, size);
        good &= same(before, keyed_hash_data(&hash, bytes, size));
        for (size_t i = 0; i < size; i++) {
            copy[i] ^= 0x80;
            good &= !same(before, keyed_hash_data(&hash, copy, size));
            copy[i] ^= 0x80;
        }
        free(copy);
    }
    check(good, "keyed hash tells data that differs in one byte");
}

static void test_extremes(void)
{
    static uint8_t ones[65536], zeros[65536];
    struct keyed_hash largest = {{(UINT64_C(1) << 61) - 1, (UINT64_C(1) << 61) - 2}, {1, 1}};

    memset(ones, 0xff, sizeof(ones));
    check(keyed_hash_data(&largest, ones, sizeof(ones)).b < (UINT64_C(1) << 61) - 1 &&
              !same(keyed_hash_data(&hash, ones, sizeof(ones)),
                    keyed_hash_data(&hash, zeros, sizeof(zeros))),
          "keyed hash does not overflow");
}

static void test_lists(void)
{
    struct keyed_digest one = keyed_hash_data(&hash, "one", 3),
                        two = keyed_hash_data(&hash, "two", 3);
    struct keyed_digest none = {0, 0};
    struct keyed_digest ab = keyed_hash_append(&hash, keyed_hash_append(&hash, none, one), two);
    struct keyed_digest ba = keyed_hash_append(&hash, keyed_hash_append(&hash, none, two), one);

    check(same(keyed_hash_append(&hash, none, one), one) && !same(ab, ba) && !same(ab, two),
          "keyed hash tells lists by their order");
}

static void test_map(void)
{
    struct known_data map = {NULL, 0, 0};
    struct keyed_digest alike = {5, 1};
    uint64_t place = 0;
    bool good = !known_data_find(&map, alike, 1, &place);

    for (uint64_t i = 0; i < 5000; i++) {
        alike.b = i;
        known_data_add(&map, alike, 1 + i % 2, i * 10);
    }
    for (uint64_t i = 0; i < 5000; i++) {
        alike.b = i;
        good &= known_data_find(&map, alike, 1 + i % 2, &place) && place == i * 10 &&
                !known_data_find(&map, alike, 2 - i % 2, &place);
    }
    known_data_free(&map);
    check(good, "known data is found by digest and size");
}

int main(void)
{
    if (!keyed_hash_new(&hash))
        return 1;
    test_data();
    test_extremes();
    test_lists();
    test_map();
    return check_failures != 0;
}
