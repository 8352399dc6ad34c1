/* See message.h. Every message is one write(2), so lines of concurrent processes do not mix. */
#define _GNU_SOURCE
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    const char *program;
    const char *warnings;
    const char *hint;
    int verbosity;
    int status;
} settings = {.program = "ch-init", .status = 31};

static void print(const char *label, int errnum, const char *file, int line, const char *format,
                  va_list ap)
{
    char text[8192];
    const char *slash = strrchr(file, '/');
    size_t cap = sizeof(text) - 512; /* leave room for the reason */
    int n = snprintf(text, cap, "%s[%d]: %s", settings.program, (int)getpid(), label);
    int m = vsnprintf(text + n, cap - (size_t)n, format, ap);

    n = (size_t)(n + m) < cap ? n + m : (int)cap - 1;
    if (errnum != 0)
        n += snprintf(text + n, 256, ": %s (%s:%d %d)\n", strerror(errnum),
                      slash ? slash + 1 : file, line, errnum);
    else
        n += snprintf(text + n, 256, " (%s:%d)\n", slash ? slash + 1 : file, line);
    if (write(STDERR_FILENO, text, (size_t)n) < 0)
        return; /* nowhere left to say so */
}

void message_setup(const char *program, const char *warnings, int verbosity, int status)
{
    settings.program = program;
    settings.warnings = warnings;
    settings.verbosity = verbosity;
    settings.status = status;
}

void message_status(int status)
{
    settings.status = status;
}

void message_hint(const char *hint)
{
    settings.hint = hint;
}

void message_fail(int errnum, const char *file, int line, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    print("error: ", errnum, file, line, format, ap);
    va_end(ap);
    if (settings.hint != NULL)
        dprintf(STDERR_FILENO, "%s[%d]: hint: %s\n", settings.program, (int)getpid(),
                settings.hint);
    if (settings.warnings != NULL && settings.verbosity > -2)
        dprintf(STDERR_FILENO, "%s", settings.warnings);
    _exit(settings.status);
}

void message_verbose(int level, const char *file, int line, const char *format, ...)
{
    va_list ap;

    if (settings.verbosity < level)
        return;
    va_start(ap, format);
    print("", 0, file, line, format, ap);
    va_end(ap);
}

void message_warning(const char *file, int line, const char *format, ...)
{
    va_list ap;

    if (settings.verbosity <= -2)
        return;
    va_start(ap, format);
    print("warning: ", 0, file, line, format, ap);
    va_end(ap);
}
