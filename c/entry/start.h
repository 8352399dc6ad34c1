/* The entry code's parts: what it makes of the caller, and the programs it goes on as. */
#ifndef CH_START_H
#define CH_START_H

#include "../caller.h"
#include "payload.h"

/* Bytes below the caller's argc that what is prepared may take; start_*.S leaves them free. */
#define START_ROOM 8192

/* What the kernel gave us. */
struct given {
    unsigned long *stack; /* argc, argv, NULL, environment, NULL, auxv */
    int argc;
    char **argv; /* may be empty */
    char **env;
    unsigned long *auxv; /* pairs, up to AT_NULL */
};

/* Where the chosen program begins. */
struct start {
    unsigned long *stack;
    uintptr_t code;
};

/* The graft's segment, and something in it. */
const struct graft_header *graft_start(void);
static inline const void *graft_at(uint64_t offset)
{
    return (const char *)graft_start() + offset;
}

/* Deno, running SCRIPT, a tool of ours. */
struct start start_deno(const struct given *given, const struct payload *script);
/* Map the program that links and starts dynamically linked ones; returns its first instruction and
 * stores where it lies. */
uintptr_t load_interpreter(const struct given *given, const char *path, uintptr_t *base);

/* Refuse to run with privilege that the caller does not have. */
void refuse_privilege(const char *argv0);
/* The kernel's, whatever the C library's feature macros say. */
struct limit64 {
    uint64_t soft;
    uint64_t hard;
};

/* What Deno will change is written down before it does. */
void record_caller(struct ch_caller *caller);
/* Deno needs room that batch systems do not grant by default. */
void raise_limits(const char *argv0, const struct ch_caller *caller);
void leave_removed_directory(void);

/* Whether Deno may see an entry of the user's environment. */
int is_for_deno(const char *entry);

#endif
