/* What to do about a failed call, judged by what the machine says of itself. Texts for
 * message_hint(); NULL where nothing is known. They are valid until the next call. */
#ifndef CH_REMEDY_H
#define CH_REMEDY_H

#include <stdbool.h>

/* PROC is where proc(5) is mounted; tests have their own. */

/* unshare(2) of a user or mount namespace. */
const char *remedy_namespace(const char *proc, int errnum);
/* Mounting inside a user namespace that was allowed; writing its ID maps, AS_ROOT or not. */
const char *remedy_inside_namespace(const char *proc, int errnum);
const char *remedy_id_map(const char *proc, int errnum, bool as_root);
/* Opening /dev/fuse, and mounting it. */
const char *remedy_fuse_device(int errnum);
const char *remedy_fuse_mount(const char *proc, int errnum);
/* Mounting an overlay; KEPT: its layer is in a directory of the user's. */
const char *remedy_overlay(const char *proc, int errnum, int kept);
/* execve(2) of PATH, the file that was found, or NULL if none was, in the directories of SEARCH,
 * which is NULL if none were searched. */
const char *remedy_exec(int errnum, const char *path, const char *search);

#endif
