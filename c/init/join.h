/* Sharing one container between peers (--join). Peers of one tag form a group: the first, the
 * winner, builds the container, the others, losers, enter it. */
#ifndef CH_JOIN_H
#define CH_JOIN_H

#include <stdbool.h>

#include "join_group.h"

struct join {
    struct group group;
    bool won;
};

/* True: we are to build the container, and peers wait until we do, fail or die. False: we are in
 * it. COUNT peers are expected. Before any namespace is made. */
bool join_begin(struct join *join, const char *tag, int count);
/* In the container, by whichever way. */
void join_finish(struct join *join);

#endif
