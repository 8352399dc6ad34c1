/* init's messages, in ch-run's form: NAME[PID]: [error: |warning: ]TEXT[: REASON] (FILE:LINE[
 * ERRNO]). A failure ends the process with the plan's status. */
#ifndef CH_MESSAGE_H
#define CH_MESSAGE_H

#include "../error.h"

/* From the plan's header. VERBOSITY 1 and more prints verbose messages. */
void message_setup(const char *program, const char *warnings, int verbosity, int status);

#define FAIL(...) message_fail(0, __FILE__, __LINE__, __VA_ARGS__)
#define FAIL_ERRNO(...) message_fail(errno, __FILE__, __LINE__, __VA_ARGS__)
/* HINT, what to do about it, is an expression; the errno value is FAILED in it. */
#define FAIL_HINT(hint, ...)                                                                       \
    do {                                                                                           \
        int failed = errno;                                                                        \
        message_hint(hint);                                                                        \
        message_fail(failed, __FILE__, __LINE__, __VA_ARGS__);                                     \
    } while (0)
#define VERBOSE(...) message_verbose(1, __FILE__, __LINE__, __VA_ARGS__)
#define DEBUG(...) message_verbose(2, __FILE__, __LINE__, __VA_ARGS__)
#define WARNING(...) message_warning(__FILE__, __LINE__, __VA_ARGS__)

__attribute__((noreturn, format(printf, 4, 5))) void
message_fail(int errnum, const char *file, int line, const char *format, ...);
__attribute__((format(printf, 4, 5))) void message_verbose(int level, const char *file, int line,
                                                           const char *format, ...);
__attribute__((format(printf, 3, 4))) void message_warning(const char *file, int line,
                                                           const char *format, ...);
/* A line about what to do, before the failure it belongs to ends the process. Set with
 * message_hint() just before FAIL; printed after the error line. */
void message_hint(const char *hint);
/* The status for failures from here on. */
void message_status(int status);

#endif
