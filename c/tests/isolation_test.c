/* What RUN of a build asks of init beside the usual: binds that nobody may write to, and a network
 * with nothing in it (c/init/bind.c, c/init/namespace.c). Each in a process of its own, as
 * namespaces are for ever. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../init/assembly.h"
#include "../init/bind.h"
#include "../init/namespace.h"
#include "check.h"

static char top[] = "/tmp/isolation_test.XXXXXX";

static ino_t network(void)
{
    struct stat st;
    return stat("/proc/self/ns/net", &st) < 0 ? 0 : st.st_ino;
}

/* Whether all devices there are have the loopback's name, and it is up. */
static bool has_loopback_alone(void)
{
    struct ifaddrs *list;
    bool alone = true, up = false;

    if (getifaddrs(&list) < 0)
        return false;
    for (struct ifaddrs *each = list; each != NULL; each = each->ifa_next) {
        alone = alone && strcmp(each->ifa_name, "lo") == 0;
        up = up || (each->ifa_flags & IFF_UP);
    }
    freeifaddrs(list);
    return alone && up;
}

/* Whether a process can talk to itself. */
static bool can_connect(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    good = bind(server, (struct sockaddr *)&address, sizeof(address)) == 0 &&
           listen(server, 1) == 0 &&
           getsockname(server, (struct sockaddr *)&address, &length) == 0 &&
           connect(client, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(server);
    close(client);
    return good;
}

/* Nobody is there to be reached: a route to TEST-NET-1 (RFC 5737) is missing. */
static bool has_route(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result;

    inet_pton(AF_INET, "192.0.2.1", &address.sin_addr);
    result = connect(fd, (struct sockaddr *)&address, sizeof(address));
    close(fd);
    return result == 0;
}

static void test_no_network(void)
{
    ino_t before = network();

    namespace_user(0, geteuid(), 0, getegid(), true, true);
    check(network() != before, "no network: a namespace of its own");
    check(has_loopback_alone(), "no network: the loopback device alone, and up");
    check(can_connect(), "no network: processes can talk to one another");
    check(!has_route(), "no network: no way out");
}

static void test_host_network(void)
{
    ino_t before = network();

    namespace_user(0, geteuid(), 0, getegid(), true, false);
    check(network() == before, "host network: stays the host's");
}

static int open_path(const char *name)
{
    return open(name, O_PATH | O_CLOEXEC);
}

/* errno of opening PATH below the root for writing; 0 if it can be. */
static int try_writing(const struct assembly *a, const char *path, int flags)
{
    int fd = openat(a->root_fd, path, O_WRONLY | O_CLOEXEC | flags, 0600);
    int result = fd < 0 ? errno : 0;

    if (fd >= 0)
        close(fd);
    return result;
}

static void test_read_only(void)
{
    struct assembly a = {.basename = "image", .root_fd = -1};
    int image, source, file, sub;

    namespace_user(0, geteuid(), 0, getegid(), true, false);
    /* A mount below the source comes along. */
    if (mount("ch", "source/sub", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
        exit(99);
    image = open_path("image");
    source = open_path("source");
    file = open_path("source/file");
    sub = open_path("source/sub");
    assembly_cover(&a, "scratch");
    a.image = "image";
    assembly_root(&a, image, "image", false);
    bind_mount(&a, source, "source", "/locked", MISSING_FAIL, false, true);
    bind_mount(&a, source, "source", "/open", MISSING_FAIL, false, false);
    bind_mount(&a, file, "source/file", "/etc/file", MISSING_FAIL, false, true);
    bind_mount(&a, sub, "source/sub", "/flags", MISSING_FAIL, false, true);
    assembly_reopen_root(&a);

    check(try_writing(&a, "locked/file", 0) == EROFS, "read-only bind: no file is written to");
    check(try_writing(&a, "locked/new", O_CREAT) == EROFS, "read-only bind: none is made");
    check(unlinkat(a.root_fd, "locked/file", 0) < 0 && errno == EROFS,
          "read-only bind: none is removed");
    check(faccessat(a.root_fd, "locked/file", R_OK, 0) == 0, "read-only bind: can be read");
    check(try_writing(&a, "etc/file", 0) == EROFS, "read-only bind of a file");
    check(try_writing(&a, "flags/new", O_CREAT) == EROFS,
          "read-only bind of a mount whose flags must stay");
    check(try_writing(&a, "open/new", O_CREAT) == 0, "another bind of the same can be written to");
    check(try_writing(&a, "new", O_CREAT) == 0, "the image itself can be written to");
    check(access("source/new", F_OK) == 0, "what is written there is the source's");
}

static void make_tree(void)
{
    static const char *const directories[] = {
        "image",       "image/locked", "image/open", "image/etc",
        "image/flags", "source",       "source/sub", "scratch",
    };
    static const char *const files[] = {"source/file", "image/etc/file"};

    if (mkdtemp(top) == NULL || chdir(top) < 0)
        exit(99);
    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
        if (mkdir(directories[i], 0755) < 0)
            exit(99);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        close(open(files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

static bool has_namespaces(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0);
    return waitpid(pid, &status, 0) == pid && status == 0;
}

static void run(const char *name, void (*test)(void))
{
    pid_t pid;
    int status;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        check_failures = 0;
        test();
        fflush(stdout);
        /* Init ends by becoming the command, and frees nothing: no leak check. */
        _exit(check_failures > 0);
    }
    if (waitpid(pid, &status, 0) != pid || status != 0)
        check(false, "%s (status 0x%x)", name, (unsigned int)status);
}

int main(void)
{
    if (!has_namespaces()) {
        check_lacks("isolation", "no user, mount and network namespaces");
        return check_failures > 0;
    }
    make_tree();
    run("no network", test_no_network);
    run("host network", test_host_network);
    run("read-only binds", test_read_only);
    check_run("rm -rf %s", top);
    return check_failures > 0;
}
