/* SquashFS 4.0 as it lies on disk: numbers and little-endian access. The layout of each structure
 * is explained above the code that decodes it. */
#ifndef SQ_FORMAT_H
#define SQ_FORMAT_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define SQ_MAGIC 0x73717368u /* "hsqs" */
#define SQ_SUPERBLOCK_SIZE 96
#define SQ_METADATA_SIZE 8192   /* decoded size of a metadata block, but for the last of a table */
#define SQ_METADATA_RAW 0x8000  /* in the two bytes before a metadata block: stored as it is */
#define SQ_BLOCK_RAW (1u << 24) /* in the size of a data block: stored as it is */
#define SQ_ABSENT UINT64_MAX    /* offset of a table that is not there */

#define SQ_FRAGMENT_SIZE 16 /* one entry of the fragment table */
#define SQ_XATTR_ID_SIZE 16 /* one entry of the xattr id table */
#define SQ_XATTR_OUT_OF_LINE 0x100

#define SQ_NAME_MAX 255
#define SQ_RUN_MAX 256 /* entries below one directory header */

static inline uint16_t sq_get16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof(v));
    return le16toh(v);
}

static inline uint32_t sq_get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return le32toh(v);
}

static inline uint64_t sq_get64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return le64toh(v);
}

#endif
