/* SHA-256 for TypeScript. */
#include "../ch.h"

#include "sha256.h"

int32_t ch_digest_sha256(const void *data, uint64_t size, uint8_t digest[32])
{
    struct sha256 hash;

    sha256_begin(&hash);
    sha256_add(&hash, data, size);
    sha256_end(&hash, digest);
    return 0;
}
