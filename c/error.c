/* Filling struct ch_error; see error.h. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void copy_text(char *dst, size_t cap, const char *src)
{
    size_t n = strlen(src);
    if (n >= cap)
        n = cap - 1;
    memcpy(dst, src, n);
    dst[n] = '\0';
}

int ch_error_set(struct ch_error *err, int errnum, const char *file, int line, const char *call,
                 const char *pathfmt, ...)
{
    if (err != NULL) {
        const char *slash = strrchr(file, '/');
        va_list ap;

        err->errnum = errnum;
        err->line = line;
        copy_text(err->file, sizeof(err->file), slash ? slash + 1 : file);
        copy_text(err->call, sizeof(err->call), call);
        va_start(ap, pathfmt);
        vsnprintf(err->path, sizeof(err->path), pathfmt, ap);
        va_end(ap);
    }
    return errnum > 0 ? -errnum : -EIO;
}
