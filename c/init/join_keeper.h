/* The keeper: a process beside a join's peers that takes the group's names away when no peer is
 * left to do so, be it killed, failed or never come. It ends as soon as all peers are in. */
#ifndef CH_JOIN_KEEPER_H
#define CH_JOIN_KEEPER_H

#include "join_group.h"

/* Starts the keeper of a group that is open. It does nothing before it is released, or we end. What
 * is returned is for keeper_release(). */
int keeper_start(const struct group *group);
void keeper_release(int starting);

#endif
