/* Overlays on the container's root, for what is written. */
#ifndef CH_OVERLAY_H
#define CH_OVERLAY_H

#include <stdbool.h>

#include "assembly.h"

/* On a tmpfs of SIZE; NEED_XATTRS: or fail if it has no extended attributes. */
void overlay_memory(struct assembly *assembly, const char *size, bool need_xattrs);
/* On host directories, both O_PATH descriptors. */
void overlay_disk(struct assembly *assembly, int upper_fd, int work_fd);
/* On `upper` and `work` of a host directory, which stay; DIRECTORY_FD is an O_PATH descriptor of
 * it, or -errno. */
void overlay_kept(struct assembly *assembly, int directory_fd, const char *directory);

#endif
