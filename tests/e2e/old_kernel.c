/* old_kernel COMMAND...: runs COMMAND as if on Linux 4.18, which RHEL 8 has, as far as that can be
 * had.
 *
 * System calls that are younger do not exist, files are copied between file systems by nobody but
 * the program, and overlays are for root alone: a listener looks at what is mounted. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAST_CALL SYS_rseq /* of Linux 4.18, on all machines but for gaps above */

#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
#define IF(how, value, yes, no) BPF_JUMP(BPF_JMP | BPF_##how | BPF_K, value, yes, no)
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)

/* Installs the filter for this process; the result is the listener. */
static int install_filter(void)
{
    struct sock_filter filter[] = {
        LOAD(nr),
        IF(JGT, LAST_CALL, 3, 0),
        IF(JEQ, SYS_mount, 3, 0),
        IF(JEQ, SYS_copy_file_range, 3, 0),
        RETURN(SECCOMP_RET_ALLOW),
        RETURN(SECCOMP_RET_ERRNO | ENOSYS),
        RETURN(SECCOMP_RET_USER_NOTIF),
        RETURN(SECCOMP_RET_ERRNO | EXDEV),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &program);
}

/* Whether the call is mount(source, target, "overlay", ...). */
static int is_overlay(const struct seccomp_notif *call)
{
    char type[sizeof("overlay")] = "";
    struct iovec to = {type, sizeof(type)};
    struct iovec from = {(void *)call->data.args[2], sizeof(type)};

    return call->data.args[2] != 0 &&
           process_vm_readv((pid_t)call->pid, &to, 1, &from, 1, 0) == sizeof(type) &&
           memcmp(type, "overlay", sizeof(type)) == 0;
}

static void answer(int listener)
{
    struct seccomp_notif call = {0};
    struct seccomp_notif_resp response = {0};

    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
        return;
    response.id = call.id;
    if (is_overlay(&call))
        response.error = -EPERM;
    else
        response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

int main(int argc, char **argv)
{
    int ready[2], listener = -1, status;
    pid_t child;

    if (argc < 2 || pipe2(ready, O_CLOEXEC) < 0)
        return 99;
    /* Descriptors are shared until the child executes, so the listener is here, too. */
    child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) {
        listener = install_filter();
        if (write(ready[1], &listener, sizeof(listener)) == sizeof(listener) && listener >= 0)
            execvp(argv[1], argv + 1);
        _exit(99);
    }
    if (child < 0 || read(ready[0], &listener, sizeof(listener)) != sizeof(listener))
        return 99;
    for (;;) {
        struct pollfd news = {.fd = listener, .events = POLLIN};
        if (poll(&news, 1, -1) < 0 || !(news.revents & POLLIN))
            break; /* nobody is left who could call */
        answer(listener);
    }
    if (waitpid(child, &status, 0) < 0)
        return 99;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
