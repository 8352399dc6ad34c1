/* Binds into the new root, with the targets' directories made where that is asked for. */
#ifndef CH_BIND_H
#define CH_BIND_H

#include <stdbool.h>

#include "assembly.h"

enum when_missing { MISSING_FAIL, MISSING_SKIP, MISSING_MAKE, MISSING_MAKE_FILE };

/* SOURCE_FD is an O_PATH descriptor, or -errno of opening SOURCE (a name for messages). */
void bind_mount(struct assembly *assembly, int source_fd, const char *source, const char *target,
                enum when_missing missing, bool ranch, bool read_only);

#endif
