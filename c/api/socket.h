/* Connections: c/shim/socket.c, ffi/socket.ts.
 *
 * Has every TCP connection of this process send at once what there is (TCP_NODELAY): how many did
 * not before. */
#ifndef CH_API_SOCKET_H
#define CH_API_SOCKET_H

#include "base.h"

CH_API int32_t ch_socket_hurry(struct ch_error *err);

#endif
