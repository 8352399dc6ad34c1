/* User and mount namespaces. */
#ifndef CH_NAMESPACE_H
#define CH_NAMESPACE_H

#include <stdbool.h>

/* One uid and one gid inside, standing for one each outside. NO_NETWORK: a network namespace as
 * well, in which nothing is up but the loopback device. */
void namespace_user(unsigned int inside_uid, unsigned int outside_uid, unsigned int inside_gid,
                    unsigned int outside_gid, bool mounts, bool no_network);
/* Serve the SquashFS IMAGE and mount it at MOUNT_POINT in a mount namespace of its own. */
void namespace_squashfs(const char *image, const char *mount_point);

#endif
