/* System calls and the few library functions of code that has no C library. */
#ifndef CH_KERNEL_H
#define CH_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#include "arch_x86_64.h"
#elif defined(__aarch64__)
#include "arch_aarch64.h"
#else
#error "no entry code for this architecture"
#endif

#define HIDDEN __attribute__((visibility("hidden")))

#define SYS0(n) arch_syscall((n), 0, 0, 0, 0, 0, 0)
#define SYS1(n, a) arch_syscall((n), (long)(a), 0, 0, 0, 0, 0)
#define SYS2(n, a, b) arch_syscall((n), (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(n, a, b, c) arch_syscall((n), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(n, a, b, c, d) arch_syscall((n), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS6(n, a, b, c, d, e, f)                                                                  \
    arch_syscall((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* Text is put together piece by piece: these return where its NUL is. */
HIDDEN char *append(char *at, const char *text);
HIDDEN char *append_number(char *at, unsigned long value);

/* In ch-run's message format, because there is no one else yet to print it. */
HIDDEN __attribute__((noreturn)) void fail(const char *argv0, const char *text, const char *file,
                                           int line);
#define FAIL(argv0, text) fail((argv0), (text), __FILE_NAME__, __LINE__)

#endif
