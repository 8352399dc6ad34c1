/* What the process had when the user's caller started it, before Deno changed it. Recorded by the
 * entry code (or, without it, as well as can be), restored by init before the command. Fixed size:
 * it stands before the plan in the block that init gets. */
#ifndef CH_CALLER_H
#define CH_CALLER_H

#include <assert.h>
#include <stdint.h>

#define CALLER_MAGIC 0x6c6c6143u /* "Call" */

struct ch_caller {
    uint32_t magic;
    uint32_t parent;         /* PID of the process that spawns init; 0 when init replaces it */
    uint64_t signals_masked; /* bit N-1 = signal N */
    uint64_t signals_ignored;
    uint64_t nofile_soft;
    uint64_t nofile_hard;
    uint64_t as_soft;
    uint64_t as_hard;
    int32_t stdio_flags[3]; /* fcntl(F_GETFL); -1 = closed */
    uint32_t plan_length;   /* bytes of the plan that follows */
};
static_assert(sizeof(struct ch_caller) == 72, "no padding; written by entry, read by init");

#endif
