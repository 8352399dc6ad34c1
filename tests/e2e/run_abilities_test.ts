// What ch-run and ch-checkns say on machines that lack something. What this one has is taken away: by
// strace, which lets a system call fail, and by root, who mounts other things over /proc/sys.

import assert from "node:assert/strict";
import { expect, rig, test, type Workplace } from "../rig.ts";

/** COMMAND with system calls that fail as the words for strace(1) say. */
function failing(words: readonly string[], ...command: string[]): string[] {
  return ["strace", "-f", "-o/dev/null", ...words, ...command];
}

/** It remarks on links to what it is to look at. */
const STRACE = /^strace: /;

const UNSHARE = (errno: string) => ["-etrace=unshare", `-einject=unshare:error=${errno}:when=1`];
const OPEN = (path: string, errno: string) => [
  `-P${path}`,
  "-etrace=openat",
  `-einject=openat:error=${errno}`,
];

interface Case {
  readonly what: string;
  readonly fails: readonly string[];
  readonly options?: readonly string[];
  readonly squashfs?: boolean;
  readonly error: RegExp;
  readonly hint: RegExp;
  readonly code?: number;
}

const CASES: readonly Case[] = [
  {
    what: "no user namespaces for ordinary users",
    fails: UNSHARE("EPERM"),
    error: /can't init user\+mount namespaces: Operation not permitted/,
    hint: /a security module .* forbids user namespaces to you|a seccomp filter/,
  },
  {
    what: "no power in user namespaces",
    fails: OPEN("/proc/self/uid_map", "EACCES"),
    error: /can't init user\+mount namespaces: \/proc\/self\/uid_map: Permission denied/,
    hint: /restricts what a user namespace may do/,
  },
  {
    what: "no /dev/fuse",
    fails: OPEN("/dev/fuse", "ENOENT"),
    squashfs: true,
    error: /can't open \/dev\/fuse; giving up: No such file or directory/,
    hint: /"modprobe fuse".*"ch-convert IMAGE\.sqfs DIRECTORY"/,
  },
  {
    what: "/dev/fuse for root alone",
    fails: OPEN("/dev/fuse", "EACCES"),
    squashfs: true,
    error: /can't open \/dev\/fuse; giving up: Permission denied/,
    hint: /"chmod 666 \/dev\/fuse"/,
  },
  {
    what: "/dev/fuse without a driver",
    fails: OPEN("/dev/fuse", "ENODEV"),
    squashfs: true,
    error: /can't open \/dev\/fuse; giving up: No such device/,
    hint: /the kernel module is not loaded.*"modprobe fuse"/,
  },
  {
    what: "a kernel that does not mount FUSE for ordinary users",
    fails: ["-etrace=mount", "-einject=mount:error=EPERM:when=1"],
    squashfs: true,
    error: /can't mount SquashFS: \S+ on \S+: Operation not permitted/,
    hint: /Linux 4\.18 or newer; unpack the image/,
  },
  {
    what: "no overlays for ordinary users",
    // Binding the image there, and then the overlay.
    fails: ["-P/sys/root", "-etrace=mount", "-einject=mount:error=EPERM:when=2+"],
    options: ["-W"],
    error: /can't overlay: .*: Operation not permitted/,
    hint: /overlays without privilege need Linux 5\.11/,
  },
  {
    what: "no overlays at all",
    fails: ["-P/sys/root", "-etrace=mount", "-einject=mount:error=ENODEV:when=2+"],
    options: ["--overlay=layer"],
    error: /can't overlay: .*: No such device/,
    hint: /"modprobe overlay"/,
  },
  {
    what: "an image that may not be made read-only",
    // After the scratch directory, its two parts, and binding the image.
    fails: ["-etrace=mount", "-einject=mount:error=EPERM:when=5"],
    error: /can't re-mount image read-only: .*: Operation not permitted/,
    hint: /use an image elsewhere, or --write/,
  },
  {
    what: "no tmpfs in namespaces",
    fails: ["-etrace=mount", "-einject=mount:error=EACCES:when=1"],
    error: /can't mount tmpfs at \/sys: Permission denied/,
    hint: /restricts what a user namespace may do/,
  },
];

for (const { what, fails, options = [], squashfs, error, hint, code = 31 } of CASES) {
  const needs = squashfs ? ["strace", "fuse", "mksquashfs"] as const : ["strace"] as const;
  test(`ch-run where there is ${what}`, async (work) => {
    let image = work.image();
    if (squashfs) {
      await work.must('mksquashfs "$1" "$1.sqfs" -quiet -no-progress', [image]);
      image += ".sqfs";
    }
    const command = failing(fails, "ch-run", ...options, image, "--", "true");
    const result = await work.run(command, { limit: 15_000 });
    expect(result, { code, stdout: "" });
    const [first, second] = result.stderr.split("\n").filter((line) => !STRACE.test(line));
    assert.match(first!, /^ch-run\[\d+\]: error: /);
    assert.match(first!, error);
    assert.match(second!, /^ch-run\[\d+\]: hint: /);
    assert.match(second!, hint);
  }, ...needs);
}

test("ch-run -W -v where tmpfs has no extended attributes", async (work) => {
  const image = work.image();
  const fails = ["-etrace=setxattr", "-einject=setxattr:error=EOPNOTSUPP"];
  expect(await work.run(failing(fails, "ch-run", "-v", "-W", image, "--", "true")), {
    code: 0,
    stderr: /\]: tmpfs has no user extended attributes \(before Linux 6\.6\): /,
  });
}, "strace");

test("ch-run from and of a file system mounted nosuid and nodev", async (work) => {
  work.tree("site", {});
  await work.must('mount -t tmpfs -o nosuid,nodev none "$1/site"', [work.path], { root: true });
  try {
    const image = work.image("site/image");
    work.tree("site/home", {});
    await work.must(`cp ${rig.bin}/ch site/ch-run`);
    const words = [
      "site/ch-run",
      "--home",
      "-w",
      image,
      "--",
      "sh",
      "-c",
      "touch $HOME/x && id -u",
    ];
    expect(await work.run(words, { env: { HOME: `${work.path}/site/home` } }), {
      code: 0,
      stdout: `${rig.uid}\n`,
      stderr: "",
    });
  } finally {
    await work.must('umount "$1/site"', [work.path], { root: true });
  }
}, "root");

test("ch-run of an image mounted noexec says what to do", async (work) => {
  work.tree("site", {});
  await work.must('mount -t tmpfs -o noexec none "$1/site"', [work.path], { root: true });
  try {
    const image = work.image("site/image");
    expect(await work.run(["ch-run", image, "--", "true"]), {
      code: 49,
      stderr: /can't execve\(2\): true: Permission denied.*\n.* hint: .*noexec.*ch-convert/,
    });
    const env = { HOME: `${work.path}/site`, CH_IMAGE_STORAGE: `${work.path}/site/image` };
    const { stdout } = await work.run(["ch-checkns", "-v"], { env });
    assert.match(
      stdout,
      /^missing {2}storage .*\n {9}file system \S+\/site is mounted noexec\n {9}hint: use/m,
    );
    assert.match(stdout, /^missing {2}home /m);
  } finally {
    await work.must('umount "$1/site"', [work.path], { root: true });
  }
}, "root");

test("ch-run in a chroot says so", async (work) => {
  // A real chroot has its own copy of what a program needs; the executable's libraries are few.
  const image = work.image("jail");
  await work.must(
    `cd "$1" && cp --parents $(ldd ${rig.bin}/ch | grep -o '/[^ ]*') . && ` +
      `ln ${rig.bin}/ch ch-run 2>/dev/null || cp ${rig.bin}/ch ch-run; ln -sf ch-run ch-checkns; ` +
      'mkdir inner; mount --bind /proc "$1/proc"; mount --bind /dev "$1/dev"',
    [image],
    { root: true },
  );
  try {
    const result = await work.sh(
      `exec chroot --userspec=${rig.uid}:${rig.gid} "$1" /ch-run /inner -- /bin/true`,
      [image],
      { root: true },
    );
    expect(result, {
      code: 31,
      stderr:
        /can't init user\+mount namespaces: Operation not permitted.*\n.*hint: this is a chroot\(2\)/,
    });
  } finally {
    await work.must('umount "$1/proc" "$1/dev"', [image], { root: true });
  }
}, "root");

/** Runs COMMAND as the user where /proc/sys/kernel has these files only. */
function withSettings(
  work: Workplace,
  settings: Readonly<Record<string, string>>,
  ...command: string[]
) {
  const make = Object.entries(settings).map(([name, value]) =>
    `echo ${value} > /proc/sys/kernel/${name};`
  );
  const script = `set -e; mount -t tmpfs -o mode=755 none /proc/sys/kernel; ${make.join(" ")} ` +
    `exec setpriv --reuid=${rig.uid} --regid=${rig.gid} --clear-groups -- "$@"`;
  return work.run(["unshare", "-m", "sh", "-c", script, "sh", ...command], { root: true });
}

for (
  const [what, settings, fails, hint] of [
    [
      "Debian's switch off",
      { unprivileged_userns_clone: "0" },
      UNSHARE("EPERM"),
      /hint: .*"sysctl kernel\.unprivileged_userns_clone=1"/,
    ],
    [
      "AppArmor's restriction that forbids",
      { apparmor_restrict_unprivileged_userns: "1" },
      UNSHARE("EACCES"),
      /hint: AppArmor .* see "AppArmor" in ch-run\(1\).*"sysctl kernel\.apparmor_restrict_unprivileged_userns=0"/,
    ],
    [
      "AppArmor's restriction that takes all power",
      { apparmor_restrict_unprivileged_userns: "1" },
      OPEN("/proc/self/uid_map", "EACCES"),
      /hint: AppArmor .*"sysctl kernel\.apparmor_restrict_unprivileged_userns=0"/,
    ],
    [
      "AppArmor's restriction that lets mounts fail",
      { apparmor_restrict_unprivileged_userns: "1" },
      ["-etrace=mount", "-einject=mount:error=EACCES:when=1"],
      /hint: AppArmor .*"sysctl kernel\.apparmor_restrict_unprivileged_userns=0"/,
    ],
  ] as const
) {
  test(
    `ch-run and ch-checkns with ${what}`,
    async (work) => {
      const image = work.image();
      const run = failing(fails, "ch-run", image, "--", "true");
      expect(await withSettings(work, settings, ...run), { code: 31, stderr: hint });
      expect(await withSettings(work, settings, ...failing(fails, "ch-checkns")), {
        code: 31,
        stdout: "",
        stderr: new RegExp(`(^|\\n)error: .*\\nerrno: \\d+\\nsee: .*${hint.source}`),
      });
      const listed = await withSettings(work, settings, ...failing(fails, "ch-checkns", "-v"));
      expect(listed, { code: 31, stdout: hint });
      assert.match(listed.stdout, /^missing {2}namespaces /);
      assert.match(listed.stdout, /^untried {2}squashfs /m);
    },
    "root",
    "strace",
  );
}

test("ch-run and ch-checkns where user.max_user_namespaces is 0", async (work) => {
  const image = work.image();
  const without = (...command: string[]) =>
    work.run([
      ...["unshare", "--user", "--map-current-user", "--keep-caps", "sh", "-ec"],
      'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"',
      "sh",
      ...command,
    ]);
  expect(await without("ch-run", image, "--", "true"), {
    code: 31,
    stderr:
      /error: can't init user\+mount namespaces: No space left .*\n.*hint: user namespaces are switched off: .*"sysctl user\.max_user_namespaces=65536"/,
  });
  const { code, stdout } = await without("ch-checkns", "--json");
  assert.equal(code, 31);
  const { ok, abilities } = JSON.parse(stdout);
  assert.equal(ok, false);
  assert.equal(abilities[0].errno, 28);
  assert.match(abilities[0].remedy, /sysctl user\.max_user_namespaces/);
  assert.deepEqual(abilities[1], {
    name: "squashfs",
    purpose: "SquashFS images",
    state: "untried",
  });
});

test("ch-checkns -v and --json where all is well", async (work) => {
  const { code, stdout, stderr } = await work.run(["ch-checkns", "-v"]);
  assert.equal(`${code}${stderr}`, "0");
  const lines = stdout.trimEnd().split("\n").filter((line) => !line.startsWith(" "))
    .map((line) => line.split(/ +/).slice(0, 2).join(" "));
  assert.deepEqual(
    lines.slice(0, 7),
    ["namespaces", "squashfs", "overlay", "tmpfs-xattrs", "seccomp", "storage", "home"]
      .map((name) => `ok ${name}`),
  );
  assert.deepEqual(
    lines.slice(7).map((line) => line.split(" ")[1]),
    ["file-system", "build-overlay", "user-xattrs", "limits", "apparmor", "cgroups", "cma"]
      .concat("mpi", "pmi", "libfabric", "gpu"),
  );
  const json = JSON.parse((await work.run(["ch-checkns", "--json"])).stdout);
  assert.equal(json.ok, true);
  const abilities = json.abilities as { name: string; state: string; detail?: string }[];
  assert.ok(abilities.slice(0, 7).every(({ state }) => state === "ok"));
  assert.deepEqual(abilities.map(({ name }) => name), lines.map((line) => line.split(" ")[1]));
  assert.equal(await work.must("ls -A storage 2>/dev/null || echo none"), "none\n");
}, "fuse");

for (
  const [what, fails, name, hint] of [
    ["/dev/fuse", OPEN("/dev/fuse", "ENOENT"), "squashfs", /modprobe fuse/],
    [
      "extended attributes of tmpfs",
      ["-etrace=setxattr", "-einject=setxattr:error=EOPNOTSUPP"],
      "tmpfs-xattrs",
      /Linux 6\.6 or newer/,
    ],
    [
      "overlays",
      ["-P/sys/root", "-etrace=mount", "-einject=mount:error=EPERM:when=2+"],
      "overlay",
      /Linux 5\.11 or newer/,
    ],
    [
      "seccomp filters",
      ["-etrace=kexec_load", "-einject=kexec_load:error=ENOSYS"],
      "seccomp",
      /CONFIG_SECCOMP_FILTER/,
    ],
  ] as const
) {
  test(
    `ch-checkns -v without ${what}`,
    async (work) => {
      const result = await work.run(failing(fails, "ch-checkns", "-v"));
      expect(result, { code: 0, stderr: "" });
      const at = result.stdout.split("\n").findIndex((line) =>
        line.startsWith(`missing  ${name} `)
      );
      assert.ok(at >= 0, result.stdout);
      assert.match(result.stdout.split("\n").slice(at + 1, at + 3).join("\n"), hint);
      expect(await work.run(failing(fails, "ch-checkns")), { code: 0, stdout: "ok\n" });
    },
    "strace",
    "fuse",
  );
}
