/* The shim's whole surface, a header for each family: what ffi/symbols.ts declares, in the same
 * order.
 *
 * Conventions. A result >= 0 is the value, < 0 is -errno with details in *ERR. Strings are bytes
 * with a NUL at the end and never UTF-8 by promise. Paths are relative to a directory descriptor
 * wherever they lie in an image. No function prints, keeps global state or leaves a descriptor
 * without O_CLOEXEC. */
#ifndef CH_H
#define CH_H

/* clang-format off */
#include "api/process.h"
#include "api/tree.h"
#include "api/tree_batch.h"
#include "api/cache.h"
#include "api/socket.h"
#include "api/lock.h"
#include "api/digest.h"
#include "api/codec.h"
#include "api/path.h"
#include "api/syslog.h"
#include "api/output_file.h"
#include "api/squashfs_writer.h"
#include "api/memory_file.h"
#include "api/squashfs_reader.h"
/* clang-format on */

#endif
