/* A container that must leave nothing behind: RUN of a build. */
#ifndef CH_SUPERVISE_H
#define CH_SUPERVISE_H

#include <sys/types.h>

/* Fork. The child returns and goes on with the plan. The parent waits for it, kills all descendants
 * that are left, and ends as the child did. The same when the process PARENT dies. */
void supervise(pid_t parent);

#endif
