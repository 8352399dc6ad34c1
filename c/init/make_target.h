/* Making the directories, or the file, that a bind's target lacks, in the image or a layer over it.
 */
#ifndef CH_MAKE_TARGET_H
#define CH_MAKE_TARGET_H

#include <stdbool.h>

#include "assembly.h"

/* Before the first bind, if one may have to make directories: what is mounted now is the image's
 * own. */
void make_target_prepare(struct assembly *assembly);
/* TARGET is absolute. RANCH: also below directories that the caller may not write. FILE: the last
 * component is an empty file, not a directory. */
void make_target(struct assembly *assembly, const char *target, bool ranch, bool file);

#endif
