/* What the graft (tools/graft) puts behind the entry code in its segment: tables of program
 * headers, a table of payloads, and the payloads. Offsets count from the segment's start, which is
 * where struct graft_header lies.
 */
#ifndef CH_PAYLOAD_H
#define CH_PAYLOAD_H

#include <assert.h>
#include <stdint.h>

#define GRAFT_MAGIC 0x3254464152474843ull /* "CHGRAFT2" */

enum payload_kind {
    PAYLOAD_SCRIPT = 1, /* JavaScript of the tool that is called NAME */
    PAYLOAD_SHIM = 2,   /* shared library for ffi/ */
    PAYLOAD_LOADER = 3, /* JavaScript that Deno runs: it evaluates the tool's script */
    PAYLOAD_MAP = 4,    /* source map of the script before it; only its place is told */
    PAYLOAD_PART = 5,   /* JavaScript of one sub-command, "TOOL.WORD" */
};

struct payload {
    uint64_t offset;
    uint64_t length;
    uint32_t kind;
    char name[20]; /* scripts and parts only; the first one serves whoever has none of his own */
};
static_assert(sizeof(struct payload) == 40, "tools/graft packs this");

/* One of the two programs that the entry code goes on as. */
struct graft_program {
    int64_t base;   /* where its address 0 lies, from the segment's start */
    uint64_t entry; /* its first instruction, from its base */
};

/* At the very start of the segment; filled in by the graft. */
struct graft_header {
    uint64_t magic;
    uint64_t file_offset; /* of the segment in the executable */
    struct graft_program deno;
    uint32_t
        deno_headers; /* offset of its program headers, a copy that says where it lies itself */
    uint32_t deno_header_count;
    struct graft_program init;
    uint32_t init_headers; /* offset of its program headers from its base */
    uint32_t init_header_count;
    uint32_t payload_count;
    uint32_t payload_table; /* offset of struct payload[payload_count] */
};
static_assert(sizeof(struct graft_header) == 72, "tools/graft fills this in");

#endif
