// Every system call that --seccomp fakes, made by a program compiled for the purpose (spec ch-run §8.1,
// §14).

import assert from "node:assert/strict";
import { exists, rig, test, type Workplace } from "../rig.ts";

/** Calls of §8.1 with their numbers on x86-64 and, through `int 0x80`, on i386; arguments are rubbish. */
const FAKED: readonly (readonly [string, number | undefined, number])[] = [
  ["capset", 126, 185],
  ["chown", 92, 182],
  ["chown32", undefined, 212],
  ["fchown", 93, 95],
  ["fchown32", undefined, 207],
  ["fchownat", 260, 298],
  ["lchown", 94, 16],
  ["lchown32", undefined, 198],
  ["kexec_load", 246, 283],
  ["setfsgid", 123, 139],
  ["setfsgid32", undefined, 216],
  ["setfsuid", 122, 138],
  ["setfsuid32", undefined, 215],
  ["setgid", 106, 46],
  ["setgid32", undefined, 214],
  ["setgroups", 116, 81],
  ["setgroups32", undefined, 206],
  ["setregid", 114, 71],
  ["setregid32", undefined, 204],
  ["setresgid", 119, 170],
  ["setresgid32", undefined, 210],
  ["setresuid", 117, 164],
  ["setresuid32", undefined, 208],
  ["setreuid", 113, 70],
  ["setreuid32", undefined, 203],
  ["setuid", 105, 23],
  ["setuid32", undefined, 213],
];

/** S_IFCHR, S_IFBLK; S_IFIFO, S_IFSOCK, S_IFREG, nothing. */
const DEVICES = [0o020000, 0o060000], FILES = [0o010000, 0o140000, 0o100000, 0];

const CALLS = `
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long i386(long number, long a, long b, long c, long d)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result)
                     : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d) : "memory", "r8", "r9", "r10", "r11");
    return (int)result;
}

static void show(const char *name, const char *arch, long result)
{
    printf("%s %s %ld\\n", name, arch, result < 0 ? (long)-errno : result);
}

static void make(char *low, unsigned mode, const char *arch)
{
    struct stat st;
    long result;

    for (int at = 0; at < 2; at++) {
        strcpy(low, "/tmp/node");
        unlink(low);
        if (arch[0] == 'x')
            result = at ? syscall(SYS_mknodat, AT_FDCWD_, low, mode | 0600, 0x103)
                        : syscall(SYS_mknod, low, mode | 0600, 0x103);
        else
            result = at ? i386(297, AT_FDCWD_, (long)low, mode | 0600, 0x103)
                        : i386(14, (long)low, mode | 0600, 0x103, 0);
        printf("mknod%s %s %o %ld %s\\n", at ? "at" : "", arch, mode,
               result < 0 && arch[0] == 'x' ? (long)-errno : result, stat(low, &st) == 0 ? "made" : "nothing");
        unlink(low);
    }
}

int main(void)
{
    /* i386 calls take addresses below 4 GiB. */
    char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    CALLS_
    printf("ids %d %d %d %d\\n", getuid(), geteuid(), getgid(), getegid());
    MAKES_
    return 0;
}
`;

/** A program, in the image, that makes all calls and prints what they return. */
async function compileCalls(work: Workplace, image: string): Promise<void> {
  const calls = FAKED.flatMap(([name, x86, i386]) => [
    ...x86 === undefined ? [] : [`show("${name}", "x86-64", syscall(${x86}, -1, -1, -1, -1));`],
    ...HAS_I386 ? [`printf("${name} i386 %ld\\n", i386(${i386}, -1, -1, -1, -1));`] : [],
  ]);
  const makes = [...DEVICES, ...FILES].flatMap((mode) =>
    ARCHITECTURES.map((arch) => `make(low, ${mode}, "${arch}");`)
  );
  const source = CALLS.replace("CALLS_", calls.join("\n    ")).replace(
    "MAKES_",
    makes.join("\n    "),
  )
    .replaceAll("AT_FDCWD_", "-100");
  work.tree("source", { "calls.c": source });
  await work.must('cc -static -O1 -o "$1/calls" source/calls.c', [image]);
}

/** Kernels without it kill who tries. */
const HAS_I386 = exists("/proc/sys/abi/vsyscall32");
const ARCHITECTURES = HAS_I386 ? ["x86-64", "i386"] : ["x86-64"];

test("ch-run §14 97, 98, 100: all calls that --seccomp fakes, on x86-64 and i386", async (work) => {
  const image = work.image();
  await compileCalls(work, image);
  const result = await work.run(["ch-run", "--seccomp", "-t", image, "--", "/calls"]);
  assert.equal(result.code, 0, result.stderr);
  const lines = result.stdout.trimEnd().split("\n");
  const wanted = [
    ...FAKED.flatMap(([name, x86]) => [
      ...x86 === undefined ? [] : [`${name} x86-64 0`],
      ...HAS_I386 ? [`${name} i386 0`] : [],
    ]),
    `ids ${rig.uid} ${rig.uid} ${rig.gid} ${rig.gid}`,
    ...[
      ...DEVICES.map((mode) => [mode, "nothing"] as const),
      ...FILES.map((mode) => [mode, "made"] as const),
    ]
      .flatMap(([mode, made]) =>
        ARCHITECTURES.flatMap((arch) =>
          ["mknod", "mknodat"].map((call) => `${call} ${arch} ${mode.toString(8)} 0 ${made}`)
        )
      ),
  ];
  assert.deepEqual(lines, wanted);
}, "cc");

test("ch-run §14 99: without --seccomp the kernel decides", async (work) => {
  const image = work.image();
  await compileCalls(work, image);
  const { stdout } = await work.run(["ch-run", "-t", image, "--", "/calls"]);
  const results = new Map(
    stdout.trimEnd().split("\n").map((line) => {
      const [name, arch, ...rest] = line.split(" ");
      return [`${name} ${arch}`, rest.join(" ")] as const;
    }),
  );
  assert.equal(results.get("fchown x86-64"), "-9");
  assert.equal(results.get("chown x86-64"), "-14");
  assert.equal(results.get("setgroups x86-64"), "-1");
  assert.notEqual(results.get("kexec_load x86-64"), "0");
}, "cc");
