/* SHA-256 for TypeScript: names of blobs in registries and OCI layouts. The state is the caller's
 * memory, so there is nothing to free. */
#include "ch.h"
#include "sha256.h"

static_assert(sizeof(struct sha256) == CH_SHA256_STATE, "ffi/sha256.ts makes room for this");

void ch_sha256_begin(void *state)
{
    sha256_begin(state);
}

void ch_sha256_add(void *state, const void *data, uint64_t size)
{
    sha256_add(state, data, size);
}

void ch_sha256_end(void *state, uint8_t digest[32])
{
    sha256_end(state, digest);
}
