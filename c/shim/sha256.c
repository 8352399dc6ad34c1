/* SHA-256 (FIPS 180-4): names of blobs in registries and OCI layouts. The state is the caller's
 * memory, so there is nothing to free. */
#include "sha256.h"

#include <string.h>

#include "ch.h"

const uint32_t sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t load(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void store(uint8_t *at, uint32_t value)
{
    for (int i = 3; i >= 0; i--, value >>= 8)
        at[i] = (uint8_t)value;
}

static uint32_t rotate(uint32_t value, int bits)
{
    return value >> bits | value << (32 - bits);
}

static void one_block(uint32_t state[8], const uint8_t *data)
{
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++)
        w[i] = load(data + 4 * i);
    for (int i = 16; i < 64; i++) {
        uint32_t low = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t high = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + low + w[i - 7] + high;
    }
    memcpy(v, state, sizeof(v));
    for (int i = 0; i < 64; i++) {
        uint32_t e = v[4], a = v[0];
        uint32_t first = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                         ((e & v[5]) ^ (~e & v[6])) + sha256_constants[i] + w[i];
        uint32_t second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                          ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof(*v));
        v[4] += first;
        v[0] = first + second;
    }
    for (int i = 0; i < 8; i++)
        state[i] += v[i];
}

void sha256_blocks_any(uint32_t state[8], const uint8_t *data, size_t count)
{
    for (size_t i = 0; i < count; i++)
        one_block(state, data + i * SHA256_BLOCK);
}

static void add_blocks(struct ch_sha256 *hash, const uint8_t *data, size_t count)
{
#if defined(__x86_64__)
    if (hash->has_instructions) {
        sha256_blocks_x86(hash->state, data, count);
        return;
    }
#endif
    sha256_blocks_any(hash->state, data, count);
}

void ch_sha256_begin(struct ch_sha256 *hash)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(hash->state, start, sizeof(start));
    hash->length = 0;
    hash->has_instructions = 0;
#if defined(__x86_64__)
    hash->has_instructions = sha256_has_instructions();
#endif
}

void ch_sha256_add(struct ch_sha256 *hash, const void *data, uint64_t size)
{
    const uint8_t *at = data;
    size_t pending = hash->length % SHA256_BLOCK;
    hash->length += size;
    if (pending > 0) {
        size_t part = size < SHA256_BLOCK - pending ? size : SHA256_BLOCK - pending;
        memcpy(hash->pending + pending, at, part);
        if (pending + part < SHA256_BLOCK)
            return;
        add_blocks(hash, hash->pending, 1);
        at += part;
        size -= part;
    }
    add_blocks(hash, at, size / SHA256_BLOCK);
    if (size % SHA256_BLOCK > 0)
        memcpy(hash->pending, at + size / SHA256_BLOCK * SHA256_BLOCK, size % SHA256_BLOCK);
}

/* A one bit, zeros, and the length in bits as the last eight bytes of a block. */
void ch_sha256_end(struct ch_sha256 *hash, uint8_t digest[32])
{
    uint8_t padding[2 * SHA256_BLOCK] = {0x80};
    uint64_t bits = hash->length * 8;
    size_t pending = hash->length % SHA256_BLOCK;
    size_t size = (pending < 56 ? 64 : 128) - pending;
    store(padding + size - 8, (uint32_t)(bits >> 32));
    store(padding + size - 4, (uint32_t)bits);
    ch_sha256_add(hash, padding, size);
    for (int i = 0; i < 8; i++)
        store(digest + 4 * i, hash->state[i]);
}
