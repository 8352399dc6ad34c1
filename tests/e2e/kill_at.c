/* Kills a command at the n-th moment when it is about to change something outside of its processes.
 *
 * usage: kill_at N REPORT COMMAND [ARGUMENT...]
 *
 * Moments are system calls, of any process below COMMAND, that make, change, lock or remove a file,
 * or mount. Reading is none, nor is what only processes see: pipes, memory files, terminals. REPORT
 * gets a line for each moment up to the N-th; with N = 0 nobody is killed. At the N-th the process
 * of COMMAND gets SIGKILL before the call is made; what it had started goes on if it wants. Ends
 * when all of them have, with COMMAND's status, or 137. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define NONE (-1)

/* Where the arguments of a call name the file: its path, and the descriptor that this is relative
 * to or that is the file. */
struct call {
    int number;
    const char *name;
    int fd, path;
    int tested; /* the argument that decides whether it is a moment, or 0: ... */
    bool by_bits;
    uint32_t values[3]; /* ... by one of these bits, or being one of these */
};

/* clang-format off */
#define CALL(called, file, at) \
    {.number = SYS_##called, .name = #called, .fd = file, .path = at}
#define CALL_IF(called, file, at, argument, ...) \
    {SYS_##called, #called, file, at, argument, __VA_ARGS__}
/* clang-format on */

static const struct call calls[] = {
    CALL_IF(openat, 0, 1, 2, true, {O_CREAT | O_TRUNC}),
    CALL_IF(ioctl, 0, NONE, 1, false, {FICLONE, FICLONERANGE}),
    CALL_IF(fcntl, 0, NONE, 1, false, {F_SETLK, F_SETLKW, F_OFD_SETLK}),
    CALL(openat2, 0, 1),
    CALL(write, 0, NONE),
    CALL(pwrite64, 0, NONE),
    CALL(writev, 0, NONE),
    CALL(pwritev, 0, NONE),
    CALL(pwritev2, 0, NONE),
    CALL(sendfile, 0, NONE),
    CALL(splice, 2, NONE),
    CALL(copy_file_range, 2, NONE),
    CALL(truncate, NONE, 0),
    CALL(ftruncate, 0, NONE),
    CALL(fallocate, 0, NONE),
    CALL(renameat, 0, 1),
    CALL(renameat2, 0, 1),
    CALL(linkat, 2, 3),
    CALL(unlinkat, 0, 1),
    CALL(mkdirat, 0, 1),
    CALL(symlinkat, 1, 2),
    CALL(mknodat, 0, 1),
    CALL(fchmod, 0, NONE),
    CALL(fchmodat, 0, 1),
    CALL(fchown, 0, NONE),
    CALL(fchownat, 0, 1),
    CALL(utimensat, 0, 1),
    CALL(setxattr, NONE, 0),
    CALL(lsetxattr, NONE, 0),
    CALL(fsetxattr, 0, NONE),
    CALL(removexattr, NONE, 0),
    CALL(lremovexattr, NONE, 0),
    CALL(fremovexattr, 0, NONE),
    CALL(fsync, 0, NONE),
    CALL(fdatasync, 0, NONE),
    CALL(syncfs, 0, NONE),
    CALL(flock, 0, NONE),
    CALL(mount, NONE, 1),
    CALL(umount2, NONE, 0),
    CALL(move_mount, 2, 3),
    CALL(pivot_root, NONE, 0),
#ifdef SYS_open
    CALL_IF(open, NONE, 0, 1, true, {O_CREAT | O_TRUNC}),
    CALL(creat, NONE, 0),
    CALL(rename, NONE, 0),
    CALL(link, NONE, 1),
    CALL(unlink, NONE, 0),
    CALL(mkdir, NONE, 0),
    CALL(rmdir, NONE, 0),
    CALL(symlink, NONE, 1),
    CALL(mknod, NONE, 0),
    CALL(chmod, NONE, 0),
    CALL(chown, NONE, 0),
    CALL(lchown, NONE, 0),
    CALL(utime, NONE, 0),
    CALL(utimes, NONE, 0),
    CALL(futimesat, 0, 1),
#endif
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static void die(const char *what)
{
    fprintf(stderr, "kill_at: %s: %s\n", what, strerror(errno));
    exit(99);
}

/* -- which calls stop ----------------------------------------------------------------------------
 */

static size_t filter_call(struct sock_filter *to, const struct call *call)
{
    size_t n = 0, values = 0;
    uint16_t test = BPF_JMP | BPF_K | (call->by_bits ? BPF_JSET : BPF_JEQ);

    if (call->tested == 0) {
        to[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->number, 0, 1);
        to[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
        return n;
    }
    while (values < 3 && call->values[values] != 0)
        values++;
    to[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->number, 0, values + 3);
    to[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                           offsetof(struct seccomp_data, args[call->tested]));
    for (size_t i = 0; i < values; i++)
        to[n++] = (struct sock_filter)BPF_JUMP(test, call->values[i], values - i, 0);
    to[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    to[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    return n;
}

static void stop_at_calls(void)
{
    struct sock_filter filter[CALLS * 7 + 2] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    struct sock_fprog program = {.len = 1, .filter = filter};

    for (size_t i = 0; i < CALLS; i++)
        program.len += filter_call(&filter[program.len], &calls[i]);
    filter[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        die("seccomp");
}

/* -- what they are -------------------------------------------------------------------------------
 */

/* "" if there is no such descriptor. */
static void read_link(pid_t pid, int fd, char *to, size_t size)
{
    char link[64];

    snprintf(link, sizeof(link), fd == AT_FDCWD ? "/proc/%d/cwd" : "/proc/%d/fd/%d", pid, fd);
    ssize_t length = readlink(link, to, size - 1);
    to[length < 0 ? 0 : length] = '\0';
}

static void read_text(pid_t pid, uint64_t from, char *to, size_t size)
{
    struct iovec local = {to, size - 1};
    /* Not beyond the page, behind which there may be nothing. */
    size_t left = 4096 - from % 4096;
    struct iovec remote = {(void *)(uintptr_t)from, left < size - 1 ? left : size - 1};

    ssize_t length = from == 0 ? -1 : process_vm_readv(pid, &local, 1, &remote, 1, 0);
    to[length < 0 ? 0 : length] = '\0';
}

/* The flags of openat2(2) are where no filter can look. */
static bool is_creating(pid_t pid, uint64_t how)
{
    uint64_t flags = 0;
    struct iovec local = {&flags, sizeof(flags)};
    struct iovec remote = {(void *)(uintptr_t)how, sizeof(flags)};

    return process_vm_readv(pid, &local, 1, &remote, 1, 0) == sizeof(flags) &&
           (flags & (O_CREAT | O_TRUNC)) != 0;
}

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A line about the call that PID is about to make; false if nobody else would see it. */
static bool describe(pid_t pid, char *line, size_t size)
{
    struct __ptrace_syscall_info info;
    char file[4096] = "", path[4096] = "";
    const struct call *call = NULL;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
        return false; /* killed meanwhile */
    for (size_t i = 0; i < CALLS; i++)
        if ((uint64_t)calls[i].number == info.seccomp.nr)
            call = &calls[i];
    if (call == NULL || (call->number == SYS_openat2 && !is_creating(pid, info.seccomp.args[2])))
        return false;
    if (call->path != NONE)
        read_text(pid, info.seccomp.args[call->path], path, sizeof(path));
    if (call->fd != NONE && path[0] != '/')
        read_link(pid, (int)info.seccomp.args[call->fd], file, sizeof(file));
    snprintf(line, size, "%s %s%s%s", call->name, file,
             file[0] != '\0' && path[0] != '\0' ? "/" : "", path);
    const char *whole = file[0] != '\0' ? file : path;
    return (call->path != NONE || file[0] == '/') && !has_prefix(whole, "/dev/") &&
           !has_prefix(whole, "/memfd:");
}

/* -- following them ------------------------------------------------------------------------------
 */

static pid_t start(char **command)
{
    int go[2];
    char byte;

    if (pipe2(go, O_CLOEXEC) != 0)
        die("pipe");
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        close(go[1]);
        if (read(go[0], &byte, 1) != 0)
            _exit(99);
        stop_at_calls();
        execvp(command[0], command);
        die(command[0]);
    }
    if (ptrace(PTRACE_SEIZE, pid, NULL,
               PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                   PTRACE_O_TRACECLONE) != 0)
        die("ptrace");
    close(go[0]);
    close(go[1]);
    return pid;
}

static bool is_stop(int signal)
{
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

static void resume(pid_t pid, int status)
{
    int event = status >> 16, signal = WSTOPSIG(status);

    if (event == PTRACE_EVENT_STOP && is_stop(signal))
        ptrace(PTRACE_LISTEN, pid, NULL, NULL);
    else
        ptrace(PTRACE_CONT, pid, NULL, (void *)(uintptr_t)(event != 0 ? 0 : signal));
}

int main(int argc, char **argv)
{
    char line[8300];
    int status, result = 99;
    long seen = 0;

    if (argc < 4) {
        fputs("usage: kill_at N REPORT COMMAND [ARGUMENT...]\n", stderr);
        return 99;
    }
    long last = strtol(argv[1], NULL, 10);
    FILE *report = fopen(argv[2], "we");
    if (report == NULL)
        die(argv[2]);
    pid_t command = start(&argv[3]);
    for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR;) {
        if (pid < 0)
            continue;
        if (!WIFSTOPPED(status)) {
            if (pid == command)
                result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        bool is_call = status >> 16 == PTRACE_EVENT_SECCOMP;
        if (is_call && (last == 0 || seen < last) && describe(pid, line, sizeof(line))) {
            fprintf(report, "%s\n", line);
            if (++seen == last)
                kill(command, SIGKILL);
        }
        resume(pid, status);
    }
    return fclose(report) != 0 ? 99 : result;
}
