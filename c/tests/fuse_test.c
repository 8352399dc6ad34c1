/* The FUSE server: an image mounted in namespaces of its own, and when its server ends
 * (c/init/fuse_*.c). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "../init/fuse_server.h"
#include "check.h"

static pid_t test_pid;

/* --- getting there --- */

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    close(fd);
    return good;
}

static bool enter_user_namespace(void)
{
    char uids[64], gids[64];

    snprintf(uids, sizeof(uids), "0 %u 1", geteuid());
    snprintf(gids, sizeof(gids), "0 %u 1", getegid());
    return unshare(CLONE_NEWUSER) == 0 && write_text("/proc/self/setgroups", "deny") &&
           write_text("/proc/self/uid_map", uids) && write_text("/proc/self/gid_map", gids);
}

static int open_fuse(void)
{
    return open("/dev/fuse", O_RDWR | O_CLOEXEC);
}

static bool possible(void)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0)
        _exit(enter_user_namespace() && open_fuse() >= 0 ? 0 : 1);
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool mount_image(const char *image)
{
    struct ch_error err = {0};
    int fuse;

    if (!enter_user_namespace() || (fuse = open_fuse()) < 0)
        return check(false, "namespaces");
    if (fuse_server_start(image, fuse, &err) < 0 || unshare(CLONE_NEWNS) < 0 ||
        fuse_mount(fuse, "mnt", &err) < 0)
        return check(false, "%s is mounted: %s: %s", image, err.call, err.path);
    close(fuse);
    /* An answer means that the server is as it stays: by now it has its name and its session. */
    return check(access("mnt/small", F_OK) == 0, "%s answers", image);
}

/* The test is a subreaper, so the server becomes its child. */
static pid_t find_server(void)
{
    char path[64], name[32];
    FILE *children, *comm;
    int pid, found = -1;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", test_pid, test_pid);
    children = fopen(path, "re");
    while (children != NULL && fscanf(children, "%d", &pid) == 1) {
        snprintf(path, sizeof(path), "/proc/%d/comm", pid);
        comm = fopen(path, "re");
        if (comm != NULL && fgets(name, sizeof(name), comm) != NULL &&
            strcmp(name, "ch-squashfs\n") == 0)
            found = pid;
        if (comm != NULL)
            fclose(comm);
    }
    if (children != NULL)
        fclose(children);
    return found;
}

/* kill(2) takes -1 for everybody: what was not found must not get there. */
static bool signal_server(pid_t server, int signal)
{
    return server > 1 && kill(server, signal) == 0;
}

/* Runs CASE in a process of its own, then expects that the server ends, after SECONDS at most. */
static void run_case(const char *name, void (*run)(void), unsigned seconds)
{
    pid_t child = fork(), pid;
    int status = 0, ends = 0;

    if (child == 0) {
        check_failures = 0;
        run();
        fflush(stdout);
        _exit(check_failures != 0);
    }
    alarm(seconds);
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        check(false, "%s", name);
    while ((pid = waitpid(-1, &status, 0)) > 0)
        ends += WIFEXITED(status);
    alarm(0);
    check(ends > 0, "%s: the server ends with its container", name);
}

/* --- cases --- */

static void test_tree(void)
{
    struct statvfs fs;
    struct stat st;
    char value[64], name[301] = "mnt/";
    bool has_xattrs = getxattr("tree/small", "user.a", value, sizeof(value)) == 5;

    if (!mount_image("image"))
        return;
    check(check_run("diff -r --no-dereference -x fifo tree mnt") == 0, "the mount is the tree");
    check(check_run(
              "cd tree && find . -printf '%%P %%y %%m %%s %%T@ %%n %%l\n' | sed '/^ d/d' | sort "
              ">../want; cd ../mnt && find . -printf '%%P %%y %%m %%s %%T@ %%n %%l\n' | "
              "sed '/^ d/d' | sort >../got; cd .. && sed -i 's/\\.[0-9]* / /' want got && "
              "sed -i '/ d /s/ [0-9]* \\([0-9]* [0-9]* \\)$/ \\1/' want got && diff want got") == 0,
          "modes, sizes, times, links are the tree's");
    check(stat("mnt/small", &st) == 0 && st.st_uid == 0 && st.st_gid == 0,
          "what belongs to root is the caller's");
    check(stat("mnt/foreign", &st) == 0 && (geteuid() != 0 || st.st_uid == 65534 || st.st_uid == 0),
          "what belongs to others is nobody's");
    check(statvfs("mnt", &fs) == 0 && (fs.f_flag & ST_RDONLY) && (fs.f_flag & ST_NOSUID) &&
              (fs.f_flag & ST_NODEV),
          "mount flags are ro, nosuid, nodev");
    check(access("mnt/small", X_OK) < 0 && errno == EACCES && access("mnt/program", X_OK) == 0,
          "access() knows what is a program");
    memset(name + 4, 'x', sizeof(name) - 5);
    check(access(name, F_OK) < 0 && errno == ENAMETOOLONG, "a name of 296 bytes is too long");
    check(access("mnt", W_OK) < 0 && errno == EROFS, "access() knows that nothing is writable");
    if (has_xattrs)
        check(getxattr("mnt/small", "user.a", value, sizeof(value)) == 5 &&
                  memcmp(value, "value", 5) == 0 &&
                  listxattr("mnt/small", value, sizeof(value)) == 7 &&
                  getxattr("mnt/small", "user.b", value, sizeof(value)) < 0 && errno == ENODATA,
              "xattrs are read");
}

/* With the server stopped, only the kernel's caches are there to answer. */
static void test_caches(void)
{
    pid_t server;
    /* No chdir(2), no xattrs: those are asked for each time. */
    const char *const look =
        "ls -a mnt mnt/d >/dev/null && stat mnt/* mnt/d/* >/dev/null && "
        "cat mnt/small mnt/large mnt/d/other mnt/random && readlink mnt/link && ! test -e mnt/none";

    if (!mount_image("image"))
        return;
    check(check_run("(%s) >/dev/null", look) == 0, "everything is read once");
    server = find_server();
    if (!check(signal_server(server, SIGSTOP), "the server is found"))
        return;
    check(check_run("timeout 5 sh -c '%s' | cmp - want-content", look) == 0,
          "what was read once is not asked for again");
    signal_server(server, SIGCONT);
}

/* Whoever has looked at a file that was listed will look at more: the next listing tells all. */
static void test_habits(void)
{
    pid_t server;

    if (!mount_image("image"))
        return;
    check(check_run(
              "ls mnt/d >/dev/null && stat mnt/d/other >/dev/null && ls mnt/many >/dev/null") == 0,
          "directories are listed");
    server = find_server();
    if (!check(signal_server(server, SIGSTOP), "the server is found"))
        return;
    check(check_run("timeout 5 stat -c %%s mnt/many/* | sort -u | grep -qx 12") == 0,
          "files listed after a look at one need no look of their own");
    signal_server(server, SIGCONT);
}

/* How many pages of PATH the kernel has, without asking for any. */
static size_t count_cached(const char *path, size_t size)
{
    size_t pages = (size + 4095) / 4096, found = 0;
    unsigned char *there = calloc(pages, 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

    if (there != NULL && map != MAP_FAILED && mincore(map, size, there) == 0)
        for (size_t i = 0; i < pages; i++)
            found += there[i] & 1;
    munmap(map, size);
    close(fd);
    free(there);
    return found;
}

static bool wait_until_cached(const char *path, size_t size)
{
    for (int i = 0; i < 1000; i++) {
        if (count_cached(path, size) == (size + 4095) / 4096)
            return true;
        usleep(10000);
    }
    return false;
}

static void test_push(void)
{
    volatile const char *map;
    int fd;

    if (!mount_image("image"))
        return;
    check(check_run("ls -l mnt/many >/dev/null && cd mnt/many && cat 10* >/dev/null") == 0,
          "files are read in their order");
    check(wait_until_cached("mnt/many/120", 12), "those behind are in the kernel's cache");
    check(count_cached("mnt/many/398", 12) == 0, "but not all of them");
    check(check_run("diff -r tree/many mnt/many") == 0, "all of them have their content");

    fd = open("mnt/random", O_RDONLY | O_CLOEXEC);
    map = mmap(NULL, 400000, PROT_READ, MAP_SHARED, fd, 0);
    if (check(map != MAP_FAILED, "a file is mapped")) {
        (void)map[0];
        (void)map[399999];
        (void)map[200000];
        check(wait_until_cached("mnt/random", 400000), "all of it is in the kernel's cache");
    }
    check(check_run("cmp tree/random mnt/random") == 0, "it has its content");
}

static void test_signals(void)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGALRM};
    pid_t server;

    if (!mount_image("image"))
        return;
    server = find_server();
    if (!check(server > 1, "the server is found by name"))
        return;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        signal_server(server, signals[i]);
    usleep(50000);
    check(server > 0 && check_run("cat mnt/large >/dev/null") == 0,
          "signals do not end the server");
    check(getsid(server) == server, "the server has its own session");
}

static void test_descriptors(void)
{
    char byte, path[64], cwd[64];
    int fds[2];
    ssize_t length;

    if (pipe(fds) < 0 || fcntl(fds[1], F_SETFD, 0) < 0 || !mount_image("image"))
        return;
    close(fds[1]);
    check(read(fds[0], &byte, 1) == 0, "the server holds no descriptor of its caller");
    snprintf(path, sizeof(path), "/proc/%d/cwd", find_server());
    length = readlink(path, cwd, sizeof(cwd));
    check(length == 1 && cwd[0] == '/', "the server holds no directory of its caller");
}

static void test_no_child(void)
{
    sigset_t blocked, pending;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    if (!mount_image("image"))
        return;
    sigpending(&pending);
    check(!sigismember(&pending, SIGCHLD), "no SIGCHLD is left pending");
    check(waitpid(-1, NULL, 0) < 0 && errno == ECHILD, "the caller has no child it doesn't know");
}

/* A daemon of the container goes on reading when the command is gone. */
static void test_daemon(void)
{
    int ended[2];
    char byte;

    if (pipe(ended) < 0 || !mount_image("image"))
        return;
    if (fork() == 0) {
        close(ended[1]);
        if (read(ended[0], &byte, 1) == 0 && check_run("cmp -s tree/random mnt/random") == 0)
            write_text("daemon", "good");
        _exit(0);
    }
}

static void test_refused(const char *image, const char *reason)
{
    struct ch_error err = {0};
    int result = fuse_server_start(image, -1, &err);

    check(result < 0 && strcmp(err.path, image) == 0 && strstr(err.call, reason) != NULL,
          "fuse_server_start() refuses %s: %s", image, err.call);
}

static const char *const make =
    "mkdir tree tree/d mnt && echo small >tree/small && ln -s small tree/link && "
    "seq 1 90000 >tree/large && cp tree/large tree/d/other && touch -d @1000000000 tree/d/other && "
    "head -c 400000 /dev/urandom >tree/random && ln tree/small tree/d/hard && mkfifo tree/fifo && "
    "touch daemon tree/program tree/foreign && chmod 755 tree/program && "
    "mkdir tree/many && for i in $(seq 100 399); do echo content $i >tree/many/$i; done && "
    "for i in $(seq 1 700); do : >tree/d/some-name-of-a-file-$i; done && "
    "(setfattr -n user.a -v value tree/small 2>/dev/null || true) && "
    "(chown 1234:4321 tree/foreign 2>/dev/null || true) && "
    "cat tree/small tree/large tree/d/other tree/random >want-content && echo small >>want-content "
    "&& "
    "mksquashfs tree image -comp zstd -noappend -quiet -no-progress -force-uid %u -force-gid %u "
    ">log 2>&1 && head -c 100000 image >cut && echo hello >text && mkfifo pipe";

int main(void)
{
    char top[] = "/tmp/fuse_test.XXXXXX";

    test_pid = getpid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (check_run("command -v mksquashfs >/dev/null") != 0) {
        check_lacks("fuse_test", "no mksquashfs");
        return check_failures != 0;
    }
    if (!possible()) {
        check_lacks("fuse_test", "no user namespaces, or /dev/fuse cannot be opened");
        return check_failures != 0;
    }
    if (mkdtemp(top) == NULL || chdir(top) < 0 || check_run(make, 0, 0) != 0)
        check(false, "the tree could not be made");
    test_refused("nothing", "open");
    test_refused("cut", "truncated");
    test_refused("text", "not a SquashFS image");
    test_refused("pipe", "not a SquashFS image");
    test_refused("tree", "open");
    run_case("tree", test_tree, 60);
    run_case("caches", test_caches, 60);
    run_case("habits", test_habits, 60);
    run_case("push", test_push, 60);
    run_case("signals", test_signals, 60);
    run_case("descriptors", test_descriptors, 60);
    run_case("no child", test_no_child, 60);
    run_case("daemon", test_daemon, 60);
    check(check_run("grep -q good daemon") == 0, "a daemon left behind goes on");
    if (chdir("/") == 0)
        check_run("rm -rf %s", top);
    return check_failures != 0;
}
