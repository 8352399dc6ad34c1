/* SHA-256: both ways of computing it against the examples of FIPS 180-4, and against one another.
 */
#include "shim/sha256.h"

#include <stdlib.h>
#include <string.h>

#include "ch.h"
#include "check.h"

static const struct {
    const char *text;
    size_t repeat;
    const char *digest;
} examples[] = {
    {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

static void to_hex(const uint8_t *digest, char *text)
{
    for (int i = 0; i < 32; i++)
        sprintf(text + 2 * i, "%02x", digest[i]);
}

static void sum(const uint8_t *data, size_t size, size_t step, char *text)
{
    struct ch_sha256 hash;
    uint8_t digest[32];
    ch_sha256_begin(&hash);
    for (size_t at = 0; at < size; at += step)
        ch_sha256_add(&hash, data + at, size - at < step ? size - at : step);
    ch_sha256_end(&hash, digest);
    to_hex(digest, text);
}

static void test_examples(void)
{
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        size_t length = strlen(examples[i].text), size = length * examples[i].repeat;
        uint8_t *data = malloc(size + 1);
        char text[65];
        for (size_t at = 0; at < size; at++)
            data[at] = (uint8_t)examples[i].text[at % length];
        bool good = true;
        for (size_t step = 1; step <= 1000; step = step * 3 + 1) {
            sum(data, size, step, text);
            good = good && strcmp(text, examples[i].digest) == 0;
        }
        check(good, "example %zu of FIPS 180-4 in pieces of any size", i);
        free(data);
    }
}

/* 55 to 65 bytes: where padding needs another block. */
static void test_lengths(void)
{
    uint8_t data[200];
    char whole[65], parts[65];
    bool good = true;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 37);
    for (size_t size = 0; size <= sizeof(data); size++) {
        sum(data, size, sizeof(data), whole);
        sum(data, size, 7, parts);
        good = good && strcmp(whole, parts) == 0;
    }
    check(good, "the same for every length, whole and in parts");
}

static void test_instructions(void)
{
#if defined(__x86_64__)
    if (!sha256_has_instructions()) {
        printf("# skipped: this processor has no instructions for SHA-256\n");
        return;
    }
    uint8_t data[50 * SHA256_BLOCK];
    uint32_t ours[8] = {1, 2, 3, 4, 5, 6, 7, 8}, theirs[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * i >> 3);
    sha256_blocks_any(ours, data, 50);
    sha256_blocks_x86(theirs, data, 50);
    check(memcmp(ours, theirs, sizeof(ours)) == 0, "the processor's instructions agree");
#endif
}

int main(void)
{
    test_examples();
    test_lengths();
    test_instructions();
    return check_failures > 0;
}
