/* The entry code's parts: what it makes of the caller, of the environment, and of the payloads. */
#ifndef CH_START_H
#define CH_START_H

#include "../caller.h"

/* Refuse to run with privilege that the caller does not have. */
void refuse_privilege(const char *argv0);
/* What Deno will change is written down before it does. */
void record_caller(struct ch_caller *caller);
/* Deno needs room that batch systems do not grant by default. */
void raise_limits(const char *argv0, const struct ch_caller *caller);
void leave_removed_directory(void);

/* Deno's environment, in the place of the user's; OURS are COUNT entries to add. */
void set_environment(char **env, char **ours, int count);

#endif
