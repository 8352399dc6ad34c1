/* Digests: c/shim/digest.c, ffi/sha256.ts.
 *
 * STATE is memory of the caller's, aligned to 8 bytes. Cannot fail. */
#ifndef CH_API_DIGEST_H
#define CH_API_DIGEST_H

#include "base.h"

#define CH_SHA256_STATE 104

CH_API void ch_sha256_begin(void *state);
CH_API void ch_sha256_add(void *state, const void *data, uint64_t size);
CH_API void ch_sha256_end(void *state, uint8_t digest[32]);

#endif
