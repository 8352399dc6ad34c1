/* A file that appears when it is complete: c/shim/output_file.c, ffi/output_file.ts. */
#ifndef CH_API_OUTPUT_FILE_H
#define CH_API_OUTPUT_FILE_H

#include "base.h"

/* If KEEP_EXISTING, commit fails with EEXIST rather than to replace a file. */
CH_API int32_t ch_output_open(const char *path, int32_t keep_existing, uint64_t *handle,
                              struct ch_error *err);
CH_API int32_t ch_output_write(uint64_t handle, const void *data, uint64_t size,
                               struct ch_error *err);
CH_API int32_t ch_output_commit(uint64_t handle, struct ch_error *err);
CH_API int32_t ch_output_close(uint64_t handle);

#endif
