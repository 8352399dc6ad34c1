/* The inner part of SHA-256: for sha256.c, which chooses one of these. */
#ifndef CH_SHA256_H
#define CH_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BLOCK 64

extern const uint32_t sha256_constants[64];

/* COUNT blocks of DATA into STATE. */
void sha256_blocks_any(uint32_t state[8], const uint8_t *data, size_t count);

#if defined(__x86_64__)
/* The same with the processor's own instructions, where it has them. */
bool sha256_has_instructions(void);
void sha256_blocks_x86(uint32_t state[8], const uint8_t *data, size_t count);
#endif

#endif
