// Points of the acceptance checklist (spec ch-run §14) that the other run_*_test.ts files leave over,
// by their numbers.

import assert from "node:assert/strict";
import { exists, expect, rig, test, type Workplace } from "../rig.ts";
import { testRuns } from "./run_cases.ts";

const LEVELS = {
  trace: "ch-run\\[\\d+\\]: a trace message \\(.*\\n",
  debug: "ch-run\\[\\d+\\]: a debug message \\(.*\\n",
  verbose: "ch-run\\[\\d+\\]: a verbose message \\(.*\\n",
  info: "ch-run\\[\\d+\\]: a info message \\(.*\\n",
  warning: "ch-run\\[\\d+\\]: warning: a warning message \\(.*\\n",
  error: "ch-run\\[\\d+\\]: error: the program failed inexplicably .*\\n",
} as const;

testRuns("ch-run §14", [
  {
    name: "12: -g x",
    args: ["-g", "x"],
    expected: { code: 31, stderr: /error: --gid: no digits found/ },
  },
  {
    name: "21: by name with -w --unsafe is writable",
    before: "mkdir -p storage/img && cp -r {D} storage/img/foo",
    args: ["-w", "--unsafe", "foo", "--", "touch", "/x"],
    expected: { code: 0 },
    after: "test -e storage/img/foo/x",
  },
  {
    name: "22: a stored image by path with --unsafe",
    before: "mkdir -p storage/img && cp -r {D} storage/img/foo",
    args: ["--unsafe", "storage/img/foo", "--", "echo", "ran"],
    expected: { code: 0, stdout: "ran\n" },
  },
  {
    name: "27: names of user and group as on the host",
    args: ["{D}", "--", "sh", "-c", "id -un; id -gn"],
    expected: { code: 0, stdout: `${rig.user}\n${rig.user}\n` },
  },
  {
    name: "28: /dev/mem stays closed for UID 0",
    args: ["-u0", "-g0", "{D}", "--", "sh", "-c", "head -c 1 /dev/mem; ls /proc/1/fd"],
    expected: { code: 1, stdout: "", stderr: /denied|No such file|not permitted/ },
  },
  {
    name: "49: a missing source after a good one mounts nothing that stays",
    args: ["-b{W}/home:/mnt/0", "-b/nosuch:/mnt/1", "{D}", "--", "true"],
    expected: { code: 31, stderr: /error: can't bind: source not found: \/nosuch/ },
  },
  {
    name: "80: -m with a directory image",
    args: ["-m", "/nosuch", "{D}", "--", "echo", "ran"],
    expected: {
      code: 0,
      stdout: "ran\n",
      stderr: /warning: --mount invalid with directory image, ignoring/,
    },
  },
  {
    name: "80: -m with an image by name says nothing",
    before: "mkdir -p storage/img && cp -r {D} storage/img/foo",
    args: ["-m", "/nosuch", "foo", "--", "echo", "ran"],
    expected: { code: 0, stdout: "ran\n", stderr: "" },
  },
  ...([
    ["--test=log", [], 0, ["info", "warning"]],
    ["--test=log", ["-v"], 0, ["verbose", "info", "warning"]],
    ["--test=log", ["-vv"], 0, ["debug", "verbose", "info", "warning"]],
    ["--test=log", ["-vvv"], 0, ["trace", "debug", "verbose", "info", "warning"]],
    ["--test=log", ["-q"], 0, ["warning"]],
    ["--test=log", ["-qq"], 0, []],
    ["--test=log", ["-qqq"], 0, []],
    ["--test=log-fail", ["-qqq"], 31, ["error"]],
    ["--test=log-fail", ["-q"], 31, ["warning", "error"]],
  ] as const).map(([option, verbosity, code, levels]) => ({
    name: `102: ${option} ${verbosity.join(" ")}`,
    args: [...verbosity, option],
    expected: {
      code,
      stdout: "",
      // Warnings are repeated at the end.
      stderr: new RegExp(
        `^${levels.map((level) => LEVELS[level]).join("")}${
          (levels as readonly string[]).includes("warning")
            ? `.* reprinting first 1 warning\\(s\\).*\\n${LEVELS.warning}`
            : ""
        }$`,
      ),
    },
  })),
  {
    name: "103: --warnings=1",
    args: ["--warnings=1"],
    expected: {
      code: 0,
      stdout: "",
      stderr:
        /^ch-run\[\d+\]: warning: this is warning 1! \(.*\nch-run\[\d+\]: warning: reprinting first 1 warning\(s\) \(.*\nch-run\[\d+\]: warning: this is warning 1! \(.*\n$/,
    },
  },
  { name: "103: --warnings=0", args: ["--warnings=0"], expected: { code: 0, stderr: "" } },
  { name: "103: --warnings=-3", args: ["--warnings=-3"], expected: { code: 0, stderr: "" } },
]);

test("ch-run §14 103: of many warnings the first are repeated, the last is not", async (work) => {
  const { stderr } = await work.run(["ch-run", "--warnings=100"]);
  const count = (number: number) => stderr.split(`this is warning ${number}!`).length - 1;
  assert.deepEqual([count(1), count(100)], [2, 1]);
});

test("ch-run §14 19: the default storage directory, $CH_IMAGE_STORAGE, -s", async (work) => {
  const user = `ch-test-${crypto.randomUUID().slice(0, 8)}`;
  const image = work.image();
  const script =
    'for s in "/var/tmp/$2.ch" one two; do mkdir -p "$s/img"; cp -r "$1" "$s/img/foo"; ' +
    'echo "$s" >"$s/img/foo/where"; done';
  await work.must(script, [image, user]);
  try {
    const where = async (variable: string | undefined, ...options: string[]) => {
      const env = { USER: user, CH_IMAGE_STORAGE: variable };
      return (await work.run(["ch-run", ...options, "foo", "--", "cat", "/where"], { env })).stdout;
    };
    assert.equal(await where(undefined), `/var/tmp/${user}.ch\n`);
    assert.equal(await where(`${work.path}/one`), "one\n");
    assert.equal(await where(`${work.path}/one`, "-stwo"), "two\n");
  } finally {
    await work.must('rm -rf "/var/tmp/$1.ch"', [user]);
  }
});

test("ch-run §14 32: supplementary groups open host files, and cannot be changed", async (work) => {
  const image = work.image();
  const group = 54321;
  await work.must(`echo open >shared; chown 0:${group} shared; chmod 640 shared`, [], {
    root: true,
  });
  const script = "id -G; cat /mnt/0/shared; cat /proc/self/setgroups";
  const result = await work.run([
    "setpriv",
    `--reuid=${rig.uid}`,
    `--regid=${rig.gid}`,
    `--groups=${group}`,
    "ch-run",
    `-b${work.path}:/mnt/0`,
    image,
    "--",
    "sh",
    "-c",
    script,
  ], { root: true });
  expect(result, { code: 0, stdout: `${rig.gid} 65534\nopen\ndeny\n` });
}, "root");

test("ch-run §14 31: chroot escapes and unmounting as UID 0 stay inside", async (work) => {
  const image = work.image("image", { "inside": "" });
  const script = [
    "mkdir /tmp/jail.$$",
    "chroot /tmp/jail.$$ / 2>/dev/null",
    "cd /; i=0; while [ $i -lt 20 ]; do cd ..; i=$((i+1)); done; ls inside",
    "umount / 2>/dev/null && echo unmounted",
    "umount -l / 2>/dev/null && ls /",
    "ls /inside",
  ].join("; ");
  const result = await work.run(["ch-run", "-u0", "-g0", "-t", image, "--", "sh", "-c", script]);
  assert.match(result.stdout, /^inside\n/);
  assert.doesNotMatch(result.stdout, /unmounted/);
  assert.match(result.stdout, /\/inside\n$/);
});

/** An image as SquashFS, made by mksquashfs with root as the owner of all. */
async function makeSquash(work: Workplace): Promise<string> {
  const image = work.image();
  await work.must('mksquashfs "$1" "$1.sqfs" -quiet -no-progress -all-root', [image]);
  return `${image}.sqfs`;
}

test(
  "ch-run §14 79: -m",
  async (work) => {
    const image = await makeSquash(work);
    work.tree("point", {});
    work.tree("files", { "file": "" });
    const user = `ch-test-${crypto.randomUUID().slice(0, 8)}`;
    const run = (point: string) =>
      work.run(["ch-run", "-m", point, image, "--", "echo", "ran"], { env: { USER: user } });
    expect(await run("point"), { code: 0, stdout: "ran\n" });
    assert.ok(!exists(`/var/tmp/${user}.ch`));
    await work.must("ln -s point link");
    expect(await run("link"), { code: 0, stdout: "ran\n" });
    expect(await run("nosuch"), {
      code: 31,
      stderr: /error: can't stat mount point: nosuch: No such file or directory .*\n.*hint: make/,
    });
    expect(await run("files/file"), { code: 31, stderr: /error: not a directory: files\/file/ });
    expect(await run(""), { code: 31, stderr: /error: mount point can't be empty string/ });
    assert.equal(await work.must("ls point"), "");
  },
  "fuse",
  "mksquashfs",
);

test(
  "ch-run §14 60: -W of a SquashFS: a directory of root's removed and made again",
  async (work) => {
    const image = await makeSquash(work);
    const script = "rm -r /mnt && mkdir /mnt && touch /mnt/new /usr/x && ls /mnt";
    expect(await work.run(["ch-run", "-W", image, "--", "sh", "-c", script]), {
      code: 0,
      stdout: "new\n",
      stderr: "",
    });
  },
  "fuse",
  "mksquashfs",
);

test(
  "ch-run §14 81: a SquashFS and a bad --cd",
  async (work) => {
    const image = await makeSquash(work);
    expect(await work.run(["ch-run", "--cd=/nosuch", image, "--", "true"]), {
      code: 31,
      stderr: /error: can't cd to \/nosuch: No such file or directory/,
    });
  },
  "fuse",
  "mksquashfs",
);

test(
  "ch-run §14 104: -v of a SquashFS names the command's PID",
  async (work) => {
    const image = await makeSquash(work);
    const { stdout, stderr } = await work.run(["ch-run", "-v", image, "--", "sh", "-c", "echo $$"]);
    assert.equal(/^ch-run\[(\d+)\]: executing: sh/m.exec(stderr)?.[1], stdout.trim());
  },
  "fuse",
  "mksquashfs",
);

test("ch-run §3.3: the host's own root directory as the image", async (work) => {
  expect(await work.run(["ch-run", "/", "--", "sh", "-c", "echo $CH_RUNNING; touch /x"]), {
    code: 1,
    stdout: "Weird Al Yankovic\n",
    stderr: /Read-only file system/,
  });
});

test("ch-run §3.3: an image directly below the host's root directory", async (work) => {
  const image = `/ch-test-${crypto.randomUUID().slice(0, 8)}`;
  const made = work.image();
  await work.must(`mv "$1" ${image}`, [made], { root: true });
  try {
    for (const option of ["-t", "-w", "-W"]) {
      expect(await work.run(["ch-run", option, image, "--", "echo", "ran"]), {
        code: 0,
        stdout: "ran\n",
        stderr: "",
      });
    }
  } finally {
    await work.must(`rm -rf ${image}`, [], { root: true });
  }
}, "root");

test("ch-run §14 110: in a container, of a directory image", async (work) => {
  const image = work.image();
  const words = ["ch-run", image, "--", "sh", "-c", "echo inner; cat /proc/self/uid_map"];
  for (const options of [[], ["-u0", "-g0"], ["-W"]]) {
    const inner = ["ch-run", ...options, ...words.slice(1)];
    expect(await work.run(["ch-run", "/", "--", ...inner]), {
      code: 0,
      stdout: /^inner\n +\d+ +\d+ +1\n$/,
    });
  }
});

test(
  "ch-run §14 110: in a container, of a SquashFS image",
  async (work) => {
    const image = await makeSquash(work);
    expect(await work.run(["ch-run", "/", "--", "ch-run", image, "--", "echo", "inner"]), {
      code: 0,
      stdout: "inner\n",
    });
  },
  "fuse",
  "mksquashfs",
);

test("ch-run §14 111, 113: ch-checkns for all, at --help and --version too", async (work) => {
  const checkns = (await work.must("command -v ch-checkns")).trim();
  for (const root of [false, rig.isRoot]) {
    expect(await work.run(["env", "-i", checkns], { root }), {
      code: 0,
      stdout: "ok\n",
      stderr: "",
    });
    expect(await work.run(["env", "-i", checkns, "foo", "--version"], { root }), {
      code: 0,
      stdout: "ok\n",
    });
  }
  expect(await work.run([checkns, "--help"]), {
    code: 0,
    stdout: "",
    stderr: /Usage: ch-checkns/,
  });
  expect(await work.run([checkns, "--version"]), { code: 0, stdout: "", stderr: /^0\.\d+\S*\n$/ });
});

/** Runs SCRIPT as the user where a busybox syslogd listens, and returns what it received. */
async function logged(work: Workplace, script: string): Promise<string> {
  const around = [
    "set -e",
    "mkdir dev; mount -t tmpfs -o dev,mode=755 none dev",
    "for n in null zero full random urandom tty fuse; do cp -a /dev/$n dev/; done",
    "mount --move dev /dev",
    'busybox syslogd -n -S -O "$PWD/messages" & d=$!',
    "until test -S /dev/log; do sleep 0.05; done",
    'setpriv --reuid=$1 --regid=$2 --clear-groups -- sh -c "$3" || true',
    "sleep 0.3; kill $d; wait $d || true",
  ].join("\n");
  const result = await work.run(
    ["unshare", "-m", "sh", "-c", around, "sh", `${rig.uid}`, `${rig.gid}`, script],
    { root: true },
  );
  assert.equal(result.code, 0, result.stderr);
  return Deno.readTextFileSync(`${work.path}/messages`);
}

test("ch-run §14 106: one record in syslog, of wrong command lines too", async (work) => {
  work.image();
  const text = await logged(
    work,
    "ch-run image -- echo foo 'b a}$r' ''; ch-run --nosuch; ch-run; ch-run --version",
  );
  const records = text.split("\n").filter((line) => line.includes("ch-run: "))
    .map((line) => line.replace(/^.*? ch-run: /, ""));
  assert.deepEqual(records, [
    `uid=${rig.uid} args=7: ch-run image -- echo foo "b a}\\$r" ""`,
    `uid=${rig.uid} args=2: ch-run --nosuch`,
    `uid=${rig.uid} args=1: ch-run`,
    `uid=${rig.uid} args=2: ch-run --version`,
  ]);
}, "root");

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
