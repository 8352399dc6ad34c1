/* Processes of ours beside the command: nobody's children, with nothing of the caller's. */
#ifndef CH_DETACHED_H
#define CH_DETACHED_H

#include "../error.h"

/* Runs RUN(ARGUMENT) in a process that the command finds neither among its children nor on its
 * terminal, and that no polite signal ends. Of the descriptors only the COUNT in FDS stay open, all
 * above stdio; stdio is /dev/null. NAME is what ps(1) shows. 0, or -errno and ERR. */
int detached_start(const char *name, void (*run)(void *argument), void *argument, const int *fds,
                   int count, struct ch_error *err);

#endif
