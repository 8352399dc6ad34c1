/* What the C tests share: "ok NAME" and "not ok NAME" lines, and what a machine may lack. */
#ifndef CH_CHECK_H
#define CH_CHECK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static int check_failures;

__attribute__((format(printf, 2, 3), unused)) static bool check(bool good, const char *name, ...)
{
    va_list ap;

    printf(good ? "ok " : "not ok ");
    va_start(ap, name);
    vprintf(name, ap);
    va_end(ap);
    printf("\n");
    fflush(stdout);
    check_failures += !good;
    return good;
}

/* A test that can't run here: a failure where everything must work. */
__attribute__((unused)) static void check_lacks(const char *name, const char *reason)
{
    const char *must = getenv("CH_MUST_WORK");

    if (must != NULL && strcmp(must, "1") == 0)
        check(false, "%s: %s", name, reason);
    else
        printf("# skipped: %s: %s\n", name, reason);
}

/* Exit status of a shell command, -1 if it has none. */
__attribute__((format(printf, 1, 2), unused)) static int check_run(const char *format, ...)
{
    char command[4096];
    va_list ap;
    int status;

    va_start(ap, format);
    vsnprintf(command, sizeof(command), format, ap);
    va_end(ap);
    status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
