/* Decoding tables for deflate's Huffman codes (RFC 1951 3.2.2): a code of at most so many bits is
 * one look-up, a longer one leads through a subtable. */
#ifndef CH_HUFFMAN_H
#define CH_HUFFMAN_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_CODE 15u
#define LITERAL_BITS 11u
#define DISTANCE_BITS 8u
#define LENGTH_BITS 7u
/* Entries for every complete code of that many symbols and bits (zlib's examples/enough.c). */
#define LITERAL_ENTRIES 2342u
#define DISTANCE_ENTRIES 402u
#define LENGTH_ENTRIES (1u << LENGTH_BITS)

/* An entry, 32 bits:
 *   bits 0-5   bits to consume: of the code and of the extra bits that belong to it
 *   bits 8-12  bits of the code alone (within this table); of a subtable its width
 *   bits 16-30 literal, base of a length or distance, or start of a subtable
 *   and one of the flags below; none means length or distance. */
#define E_LITERAL 0x80000000u
#define E_SUBTABLE 0x4000u
#define E_END 0x2000u
#define E_INVALID 0x8000u
#define E_SPECIAL (E_SUBTABLE | E_END | E_INVALID)
#define E_TAKE(e) ((e)&0x3fu)
#define E_CODE(e) (((e) >> 8) & 0x1fu)
#define E_VALUE(e) (((e) >> 16) & 0x7fffu)

/* From the lengths of N symbols' codes, 0 for those that have none. False if there is no such code.
 */
bool huffman_literals(uint32_t table[LITERAL_ENTRIES], const uint8_t *lengths, unsigned n);
bool huffman_distances(uint32_t table[DISTANCE_ENTRIES], const uint8_t *lengths, unsigned n);
/* The code that the other two are written in. */
bool huffman_lengths(uint32_t table[LENGTH_ENTRIES], const uint8_t *lengths, unsigned n);

#endif
