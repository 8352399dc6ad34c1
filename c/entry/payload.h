/* What the graft (tools/graft) puts behind the entry code, at GRAFT_TABLE_OFFSET from the start of
 * the segment: a table, then the payloads themselves. All offsets count from the segment's start.
 */
#ifndef CH_PAYLOAD_H
#define CH_PAYLOAD_H

#include <assert.h>
#include <stdint.h>

#define GRAFT_MAGIC 0x3154464152474843ull /* "CHGRAFT1" */

enum payload_kind {
    PAYLOAD_SCRIPT = 1, /* JavaScript of the tool that is called NAME */
    PAYLOAD_SHIM = 2,   /* shared library for ffi/ */
    PAYLOAD_INIT = 3,   /* static program; not opened at start, only its place is told */
    PAYLOAD_LOADER = 4, /* JavaScript that Deno runs: it evaluates the tool's script */
    PAYLOAD_MAP = 5,    /* source map of the script before it; only its place is told */
};

struct payload {
    uint64_t offset;
    uint64_t length;
    uint32_t kind;
    char name[20]; /* scripts and maps only; the first script one serves whoever has none of his own
                    */
};
static_assert(sizeof(struct payload) == 40, "tools/graft packs this");

/* At the very start of the segment; filled in by the graft. */
struct graft_header {
    uint64_t magic;
    int64_t original_entry; /* where the stock program starts, relative to the segment's start */
    uint64_t file_offset;   /* of the segment in the executable */
    uint32_t payload_count;
    uint32_t payload_table; /* offset of struct payload[payload_count] */
};
static_assert(sizeof(struct graft_header) == 32, "tools/graft fills this in");

#endif
