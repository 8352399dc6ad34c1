/* SHA-256 against the examples of FIPS 180-4 and NIST's test vectors, and its two ways against each
 * other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "shim/sha256.h"

static void check_text(const char *text, const char *expected)
{
    struct sha256 hash;
    uint8_t digest[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];

    sha256_begin(&hash);
    for (const char *at = text; *at != '\0'; at += strlen(at) < 7 ? strlen(at) : 7)
        sha256_add(&hash, at, strlen(at) < 7 ? strlen(at) : 7);
    sha256_end(&hash, digest);
    for (int i = 0; i < SHA256_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    check(strcmp(hex, expected) == 0, "SHA-256 of %zu bytes of text", strlen(text));
}

static bool both_ways_agree(size_t size)
{
    uint8_t *data = calloc(1, size + 1), one[SHA256_SIZE], other[SHA256_SIZE];
    struct sha256 hash, portable;

    if (data == NULL)
        return false;
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * 197 + size);
    sha256_begin(&hash);
    portable = hash;
    sha256_add(&hash, data, size);
    sha256_end(&hash, one);

    sha256_blocks_portable(portable.state, data, size / 64);
    portable.length = size & ~(size_t)63;
    sha256_add(&portable, data + portable.length, size & 63);
    sha256_end(&portable, other);
    free(data);
    return memcmp(one, other, SHA256_SIZE) == 0;
}

int main(void)
{
    check_text("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_text("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_text("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
               "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
               "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    bool agree = both_ways_agree(100003);
    for (size_t size = 0; size < 300; size++)
        agree = both_ways_agree(size) && agree;
    check(agree, "SHA-256 by instructions and without");
    return check_failures != 0;
}
