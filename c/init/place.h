/* Places in the image: paths resolved inside the new root, one component at a time, so that no link
 * of the image leads out of it (spec/ch-run.md §3.5, §3.6). */
#ifndef CH_PLACE_H
#define CH_PLACE_H

#include <limits.h>
#include <stdbool.h>

#define PLACE_DEPTH 128

struct place {
    int fds[PLACE_DEPTH]; /* O_PATH of every directory on the way; fds[0] is the root */
    int depth;            /* fds[depth] is the place itself */
    char path[PATH_MAX];  /* canonical, from the root; "" is the root */
};

enum place_result {
    PLACE_FOUND,
    PLACE_MISSING,
    PLACE_OUTSIDE, /* climbs above the root */
    PLACE_ERROR,   /* errno */
};

/* Resolve TARGET below ROOT_FD (borrowed). BASENAME is the root's own name: "/../BASENAME" comes
 * back. On PLACE_FOUND the caller closes with place_close(). */
enum place_result place_find(int root_fd, const char *basename, const char *target,
                             struct place *place);
/* Only the root itself. */
void place_start(struct place *place, int root_fd);
/* Go to an existing entry NAME of the current directory, no link. -1 and errno. */
int place_enter(struct place *place, const char *name);
/* To the parent; false at the root. */
bool place_leave(struct place *place);
void place_close(struct place *place);

#endif
