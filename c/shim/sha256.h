/* SHA-256 (FIPS 180-4), by the processor's own instructions where it has them. */
#ifndef CH_SHA256_H
#define CH_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t rest[64];
};

void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t size);
void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_SIZE]);

/* BLOCKS times 64 bytes; sha256_add() chooses. For tests. */
void sha256_blocks_portable(uint32_t state[8], const uint8_t *data, size_t blocks);

#endif
