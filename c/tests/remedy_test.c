/* What is said to be done where a kernel refuses (c/init/remedy.c), on machines made up below a
 * directory that stands for /proc. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../init/remedy.h"

static int failures;
static char proc[] = "/tmp/remedy_test.XXXXXX";

static void check(const char *name, const char *hint, const char *wanted)
{
    int good = wanted == NULL ? hint == NULL : hint != NULL && strstr(hint, wanted) != NULL;

    printf("%s %s\n", good ? "ok" : "not ok", name);
    if (!good) {
        printf("# got %s, want %s\n", hint == NULL ? "nothing" : hint,
               wanted == NULL ? "nothing" : wanted);
        failures++;
    }
}

static void put(const char *name, const char *content)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", proc, name);
    for (char *slash = strchr(path + sizeof(proc), '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    file = fopen(path, "we");
    if (file == NULL || fputs(content, file) < 0 || fclose(file) != 0)
        abort();
}

#define APPARMOR "sys/kernel/apparmor_restrict_unprivileged_userns"
#define CLONE "sys/kernel/unprivileged_userns_clone"
#define MOUNTS "self/mountinfo"
#define ROOT "22 1 254:0 / / rw - ext4 /dev/vda rw\n23 22 0:5 / /dev rw - devtmpfs x rw\n"

static void test_namespaces(void)
{
    put("self/ns/user", "");
    put(MOUNTS, ROOT);
    put("self/status", "Name:\tx\nSeccomp:\t0\n");
    put("sys/user/max_user_namespaces", "0\n");
    put("sys/user/max_mnt_namespaces", "100\n");
    check("user namespaces switched off", remedy_namespace(proc, ENOSPC),
          "user namespaces are switched off: an administrator can allow them with \"sysctl "
          "user.max_user_namespaces=");
    put("sys/user/max_user_namespaces", "15\n");
    check("all in use", remedy_namespace(proc, ENOSPC), "all 15 user namespaces");
    put("sys/user/max_user_namespaces", "2147483647\n");
    check("a limit further outside", remedy_namespace(proc, ENOSPC), "bwrap --disable-userns");
    put("sys/user/max_user_namespaces", "15\n");
    put("sys/user/max_mnt_namespaces", "0\n");
    check("mount namespaces switched off", remedy_namespace(proc, ENOSPC),
          "\"sysctl user.max_mnt_namespaces=");

    put("self/status", "Name:\tx\nThreads:\t2\nSeccomp:\t0\n");
    check("emulated", remedy_namespace(proc, EINVAL), "emulated (QEMU)");
    put("self/status", "Name:\tx\nThreads:\t1\nSeccomp:\t0\n");
    check("not emulated", remedy_namespace(proc, EINVAL), NULL);
    check("forbidden, who knows why", remedy_namespace(proc, EPERM), "a security module");
    put("self/status", "Name:\tx\nSeccomp:\t2\n");
    check("a seccomp filter", remedy_namespace(proc, EPERM), "seccomp=unconfined");
    put(MOUNTS, "40 39 0:5 / /dev rw - devtmpfs x rw\n");
    check("a chroot", remedy_namespace(proc, EPERM), "this is a chroot(2)");
    put(APPARMOR, "1\n");
    check("AppArmor", remedy_namespace(proc, EACCES),
          "\"sysctl kernel.apparmor_restrict_unprivileged_userns=0\"");
    put(CLONE, "0\n");
    check("Debian's switch", remedy_namespace(proc, EPERM),
          "\"sysctl kernel.unprivileged_userns_clone=1\"");
    put(CLONE, "1\n");
    check("Debian's switch is not it", remedy_namespace(proc, EPERM), "AppArmor");

    check("AppArmor forbids maps", remedy_id_map(proc, EPERM, true), "AppArmor keeps");
    check("AppArmor takes the power of a namespace", remedy_inside_namespace(proc, EPERM),
          "AppArmor keeps");
    check("AppArmor and FUSE", remedy_fuse_mount(proc, EPERM), "AppArmor keeps");
    check("AppArmor and overlays", remedy_overlay(proc, EPERM, 0), "AppArmor keeps");
    put(APPARMOR, "0\n");
    check("something takes the power of a namespace", remedy_inside_namespace(proc, EACCES),
          "--security-opt");
    check("root without a capability", remedy_id_map(proc, EPERM, true), "--cap-add=SETFCAP");
    check("a map that is not root's", remedy_id_map(proc, EPERM, false), "--security-opt");
    check("a failure that has nothing to do with it", remedy_inside_namespace(proc, ENOMEM), NULL);
    check("a failure that nobody expects", remedy_namespace(proc, EINVAL), NULL);
}

static void test_kernel(void)
{
    check("no /dev/fuse", remedy_fuse_device(ENOENT), "\"modprobe fuse\"");
    check("no module fuse", remedy_fuse_device(ENODEV), "\"modprobe fuse\"");
    check("/dev/fuse for root alone", remedy_fuse_device(EACCES), "\"chmod 666 /dev/fuse\"");
    check("/dev/fuse not in the control group", remedy_fuse_device(EPERM), "--device /dev/fuse");
    check("a busy kernel", remedy_fuse_device(EMFILE), NULL);
    check("FUSE before Linux 4.18", remedy_fuse_mount(proc, EPERM), "Linux 4.18");
    check("overlay before Linux 5.11", remedy_overlay(proc, EPERM, 0), "Linux 5.11");
    check("no module overlay", remedy_overlay(proc, ENODEV, 0), "\"modprobe overlay\"");
    check("layer on NFS", remedy_overlay(proc, EINVAL, 1), "use one on ext4");
    check("image on something odd", remedy_overlay(proc, EINVAL, 0), "image's file system");
}

/* An ELF file as far as its loader's name; for arm64. HEADERS: 0 makes it static. */
static void put_elf(const char *name, unsigned char headers)
{
    unsigned char start[120] = {
        [0] = 0x7f, 'E',       'L',       'F',      2,          1,         1,
        [18] = 183, [32] = 64, [54] = 56, [64] = 3, [72] = 120, [96] = 11, [104] = 11,
    };
    char path[256];
    FILE *file;

    start[56] = headers;
    snprintf(path, sizeof(path), "%s/%s", proc, name);
    file = fopen(path, "we");
    if (file == NULL || fwrite(start, sizeof(start), 1, file) != 1 ||
        fwrite("/lib/ld.so\0", 11, 1, file) != 1 || fclose(file) != 0)
        abort();
}

static void test_exec(void)
{
    char script[256], elf[256], fixed[256], plain[256];

    snprintf(script, sizeof(script), "%s/script", proc);
    snprintf(elf, sizeof(elf), "%s/elf", proc);
    snprintf(fixed, sizeof(fixed), "%s/fixed", proc);
    snprintf(plain, sizeof(plain), "%s/plain", proc);
    put("script", "#! /opt/python -u\n");
    put("plain", "text");
    put_elf("elf", 1);
    put_elf("fixed", 0);
    check("no such file", remedy_exec(ENOENT, NULL, NULL), "no such file in the container");
    check("no such program", remedy_exec(ENOENT, NULL, "/a:/b"), "PATH has it: /a:/b");
    check("no interpreter of a script", remedy_exec(ENOENT, script, NULL),
          "the image lacks the program that runs it: /opt/python");
    check("no loader of a program", remedy_exec(ENOENT, elf, NULL),
          "the image lacks the program that runs it: /lib/ld.so");
    check("something missing", remedy_exec(ENOENT, plain, NULL), "not the program that it needs");
    check("a directory", remedy_exec(EACCES, proc, NULL), "it is a directory");
    check("a file without x", remedy_exec(EACCES, plain, NULL), "\"chmod +x\"");
    chmod(plain, 0755);
    check("a file with x", remedy_exec(EACCES, plain, NULL), "you may not execute");
    check("no program", remedy_exec(ENOEXEC, plain, NULL), "it is no program, or one for another");
    check("another architecture", remedy_exec(ENOEXEC, elf, NULL),
          "it is a program for aarch64: use an image for this machine");
    check("an emulator that is not found", remedy_exec(ENOENT, fixed, NULL),
          "a program for aarch64; if that is not this machine's architecture, the emulator");
    check("too many arguments", remedy_exec(E2BIG, plain, NULL), "--unset-env");
    check("anything else", remedy_exec(EIO, plain, NULL), NULL);
}

int main(void)
{
    char command[64];

    if (mkdtemp(proc) == NULL)
        return 1;
    test_namespaces();
    test_kernel();
    test_exec();
    snprintf(command, sizeof(command), "%s/self/ns/user", proc);
    unlink(command);
    check("a kernel without", remedy_namespace(proc, EINVAL), "CONFIG_USER_NS");
    snprintf(command, sizeof(command), "rm -rf %s", proc);
    return system(command) != 0 || failures > 0;
}
