/* The end of a plan: the caller's state is restored and the command takes over. */
#ifndef CH_COMMAND_H
#define CH_COMMAND_H

#include <stdbool.h>

#include "../caller.h"

void command_seccomp(const void *program, unsigned long length);
void command_no_new_privs(void);
void command_silence(bool out, bool err);
/* Runs a program of the container to its end, as a step on the way to the command: without input,
 * its output on standard error, or nowhere unless LOUD. That it fails is a warning, as the command
 * may do without. */
void command_run(char **argv, char **env, bool loud);
/* ARGV and ENV end in NULL. SEARCH is the value of PATH. Never returns. */
__attribute__((noreturn)) void command_exec(const struct ch_caller *caller, char **argv, char **env,
                                            const char *search, int status);

#endif
