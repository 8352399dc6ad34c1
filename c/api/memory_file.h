/* Memory files: c/shim/memory_file.c, ffi/memory_file.ts. */
#ifndef CH_API_MEMORY_FILE_H
#define CH_API_MEMORY_FILE_H

#include "base.h"

/* A file without a name, to take what a child prints. NAME is for /proc. */
CH_API int32_t ch_memory_file_open(const char *name, struct ch_error *err);

#endif
