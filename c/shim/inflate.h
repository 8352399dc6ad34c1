/* Gunzip as a stream: RFC 1951 and 1952 with checks, any number of members, input and output cut at
 * any byte. Written for speed: about twice zlib's, which is what unpacking a layer waits for.
 * (ISA-L would be as fast, but Debian has it only as a shared library; libdeflate wants all input
 * at once.) */
#ifndef CH_INFLATE_H
#define CH_INFLATE_H

#include <stddef.h>
#include <stdint.h>

struct inflate;

enum inflate_status {
    INFLATE_INPUT,   /* wants more input, inside a member */
    INFLATE_OUTPUT,  /* wants more room for output */
    INFLATE_BETWEEN, /* input used up after a complete member (and zero padding): may end here */
    INFLATE_ERROR,   /* see inflate_reason() */
};

/* NULL if there is no memory. */
struct inflate *inflate_new(void);
void inflate_free(struct inflate *s);

/* Moves *IN and *OUT on by what was used and made. */
enum inflate_status inflate_run(struct inflate *s, const uint8_t **in, const uint8_t *in_end,
                                uint8_t **out, uint8_t *out_end);

const char *inflate_reason(const struct inflate *s);

#endif
