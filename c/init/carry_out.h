/* Carrying a plan out, step by step, in this process. */
#ifndef CH_CARRY_OUT_H
#define CH_CARRY_OUT_H

#include "../caller.h"

/* PLAN is a block as plan.h describes it. Ends as the plan's command, or with a message. */
__attribute__((noreturn)) void carry_out(const struct ch_caller *caller, const void *plan);

#endif
