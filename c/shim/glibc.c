/* The shim runs with whatever C library the user's machine has, from 2.27 on, though it is linked
 * against a newer one. Functions that a newer library exports under a new version are called here
 * under the old one; the linker (--wrap, in the Makefile) leads every caller, also those in the
 * static libraries, to these. The Makefile checks that none is forgotten. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __x86_64__
#define FIRST_VERSION "GLIBC_2.2.5"
#else
#define FIRST_VERSION "GLIBC_2.17"
#endif

/* 2.34 moved these from libpthread to libc. */
#define OLD(name) __asm__(".symver old_" #name "," #name "@" FIRST_VERSION)
int old_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                       void *argument);
int old_pthread_join(pthread_t thread, void **result);
int old_pthread_attr_setstacksize(pthread_attr_t *attr, size_t size);
OLD(pthread_create);
OLD(pthread_join);
OLD(pthread_attr_setstacksize);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                          void *argument);
int __wrap_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_attr_setstacksize(pthread_attr_t *attr, size_t size);
int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_statx(int dirfd, const char *path, int flags, unsigned int mask, struct statx *stx);
int __wrap_fstatat(int dirfd, const char *path, struct stat *st, int flags);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                          void *argument)
{
    return old_pthread_create(thread, attr, start, argument);
}

int __wrap_pthread_join(pthread_t thread, void **result)
{
    return old_pthread_join(thread, result);
}

int __wrap_pthread_attr_setstacksize(pthread_attr_t *attr, size_t size)
{
    return old_pthread_attr_setstacksize(attr, size);
}

/* Acts on the calling thread in either guise, and has been in libc all along. */
int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    return sigprocmask(how, set, old) == 0 ? 0 : EINVAL;
}

/* Before 2.33 these were inline functions around others with a version number as first argument.
 * The kernel's struct stat is the C library's on 64-bit machines. */
int __wrap_fstatat(int dirfd, const char *path, struct stat *st, int flags)
{
    return (int)syscall(SYS_newfstatat, dirfd, path, st, flags);
}

/* In the C library since 2.28. */
int __wrap_statx(int dirfd, const char *path, int flags, unsigned int mask, struct statx *stx)
{
    return (int)syscall(SYS_statx, dirfd, path, flags, mask, stx);
}

int __wrap_fstat(int fd, struct stat *st)
{
    return (int)syscall(SYS_fstat, fd, st);
}
