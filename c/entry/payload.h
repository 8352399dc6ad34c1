/* What the graft (tools/graft.ts) puts behind the entry code, at GRAFT_TABLE_OFFSET from the start of
 * the segment: a table, then the payloads themselves. All offsets count from the segment's start. */
#ifndef CH_PAYLOAD_H
#define CH_PAYLOAD_H

#include <assert.h>
#include <stdint.h>

#define GRAFT_MAGIC 0x3154464152474843ull /* "CHGRAFT1" */

enum payload_kind {
    PAYLOAD_SCRIPT = 1, /* a chunk of JavaScript; the first one is the main module */
    PAYLOAD_SHIM = 2,   /* shared library for ffi/ */
    PAYLOAD_INIT = 3,   /* static program; not opened at start, only its place is told */
};

struct payload {
    uint32_t kind;
    uint32_t patch_count;  /* references to other scripts in the text of this one */
    uint64_t offset;
    uint64_t length;
    uint64_t patch_offset; /* of struct payload_patch[patch_count] */
};
static_assert(sizeof(struct payload) == 32, "tools/graft.ts packs this");

/* Three digits in a script that name another script's descriptor. */
struct payload_patch {
    uint32_t at;     /* offset in the script */
    uint32_t script; /* index of the script that is meant */
};
static_assert(sizeof(struct payload_patch) == 8, "tools/graft.ts packs this");

/* At the very start of the segment; filled in by the graft. */
struct graft_header {
    uint64_t magic;
    int64_t original_entry; /* where the stock program starts, relative to the segment's start */
    uint64_t file_offset;   /* of the segment in the executable */
    uint32_t payload_count;
    uint32_t payload_table; /* offset of struct payload[payload_count] */
};
static_assert(sizeof(struct graft_header) == 32, "tools/graft.ts fills this in");

#endif
