/* See join_container.h. */
#define _GNU_SOURCE
#include "join_container.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"

#define TRIES 5

static int open_namespace(int proc, int pid, const char *type)
{
    char path[64];

    snprintf(path, sizeof(path), "%d/ns/%s", pid, type);
    return openat(proc, path, O_RDONLY | O_CLOEXEC);
}

int container_open(struct container *container, int proc, int pid)
{
    int reason = 0;

    container->pid = pid;
    container->mount = -1;
    container->user = open_namespace(proc, pid, "user");
    if (container->user >= 0)
        container->mount = open_namespace(proc, pid, "mnt");
    if (container->mount < 0) {
        reason = errno;
        container_close(container);
    }
    return reason;
}

void container_close(struct container *container)
{
    if (container->user >= 0)
        close(container->user);
    if (container->mount >= 0)
        close(container->mount);
}

static uint64_t number_of(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        FAIL_ERRNO("join: can't stat namespace");
    return st.st_ino;
}

void container_numbers(const struct container *container, uint64_t *user, uint64_t *mount)
{
    *user = number_of(container->user);
    *mount = number_of(container->mount);
}

static uint64_t own_number(int proc, const char *type)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "self/ns/%s", type);
    if (fstatat(proc, path, &st, 0) < 0)
        FAIL_ERRNO("join: can't stat /proc/%s", path);
    return st.st_ino;
}

void container_own_numbers(int proc, uint64_t *user, uint64_t *mount)
{
    *user = own_number(proc, "user");
    *mount = own_number(proc, "mnt");
}

static void set_namespace(int fd, const char *type, int pid)
{
    for (int tries = 1; setns(fd, 0) < 0; tries++) {
        if (tries == TRIES || errno == EPERM)
            FAIL_ERRNO("can’t join %s namespace of pid %d", type, pid);
        WARNING("can’t join %s namespace; trying again", type);
        sleep(1);
    }
}

void container_enter(struct container *container)
{
    VERBOSE("joining namespaces of pid %d", container->pid);
    set_namespace(container->user, "user", container->pid);
    set_namespace(container->mount, "mnt", container->pid);
    container_close(container);
}

__attribute__((noreturn)) static void fail_open(int pid, const char *type)
{
    if (errno == ENOENT)
        FAIL("join: no PID %d: /proc/%d/ns/%s not found", pid, pid, type);
    FAIL_ERRNO("join: can't open /proc/%d/ns/%s", pid, type);
}

void container_join(int pid)
{
    int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct container container;

    if (proc < 0)
        FAIL_ERRNO("can't open: /proc");
    errno = container_open(&container, proc, pid);
    if (errno != 0)
        fail_open(pid, container.user < 0 ? "user" : "mnt");
    /* The kernel says so, too, and would again. */
    if (number_of(container.user) == own_number(proc, "user")) {
        message_hint("the process must run in a container");
        errno = EINVAL;
        FAIL_ERRNO("can’t join user namespace of pid %d", pid);
    }
    close(proc);
    container_enter(&container);
}
