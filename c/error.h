/* How a C function says what failed: one flat block that ffi/ reads (ffi/system_error.ts) and init
 * prints. The size is part of the contract with TypeScript. */
#ifndef CH_ERROR_H
#define CH_ERROR_H

#include <assert.h>
#include <errno.h>
#include <stdint.h>

struct ch_error {
    int32_t errnum; /* errno value, 0 if the failure has none */
    int32_t line;   /* source line */
    char file[40];  /* source file, base name */
    char call[48];  /* system call or library function, e.g. "openat2" */
    char path[928]; /* what it was done to; truncated if longer; may be empty */
};
static_assert(sizeof(struct ch_error) == 1024, "ffi/system_error.ts reads this block");

/* Fill ERR (may be NULL) and return -ERRNUM. */
__attribute__((format(printf, 6, 7))) int ch_error_set(struct ch_error *err, int errnum,
                                                       const char *file, int line, const char *call,
                                                       const char *pathfmt, ...);

/* return CH_FAIL(err, "openat", "%s", path);  -- takes errno */
#define CH_FAIL(err, call, ...) ch_error_set((err), errno, __FILE__, __LINE__, (call), __VA_ARGS__)
/* The same with a given errno value. */
#define CH_FAIL_WITH(err, errnum, call, ...)                                                       \
    ch_error_set((err), (errnum), __FILE__, __LINE__, (call), __VA_ARGS__)

#endif
