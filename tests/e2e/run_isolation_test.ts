// What the container shares with the host and what not: namespaces, identity, root, file system.

import assert from "node:assert/strict";
import { expect, rig, test } from "../rig.ts";
import { testRuns } from "./run_cases.ts";

testRuns("ch-run isolation", [
  {
    name: "user and group as the caller's",
    args: ["{D}", "--", "sh", "-c", "id -u; id -g; id -un"],
    expected: { code: 0, stdout: `${rig.uid}\n${rig.gid}\n${rig.user}\n` },
  },
  {
    name: "-u 0 -g 0",
    args: ["-u", "0", "-g", "0", "{D}", "--", "sh", "-c", "id -un; id -gn; cat /proc/1/environ"],
    expected: {
      code: 1,
      stdout: "root\nroot\n",
      stderr: /\/proc\/1\/environ.*(Permission denied|not permitted)/,
    },
  },
  {
    name: "-u 5 -g 6, and the caller's files",
    args: ["-u5", "-g6", "{D}", "--", "sh", "-c", "id -u; id -g; stat -c %u:%g /bin/busybox"],
    expected: { code: 0, stdout: "5\n6\n5:6\n" },
  },
  {
    name: "files of others belong to nobody",
    args: ["{D}", "--", "stat", "-c", "%u:%g", "/proc/1"],
    expected: { code: 0, stdout: "65534:65534\n" },
  },
  {
    name: "one id mapped, setgroups denied",
    args: [
      "-u5",
      "{D}",
      "--",
      "sh",
      "-c",
      "echo $(cat /proc/self/uid_map); cat /proc/self/setgroups",
    ],
    expected: { code: 0, stdout: "5 0 1\ndeny\n" },
  },
  {
    name: "no new privileges and no capabilities",
    args: ["{D}", "--", "grep", "-E", "^(NoNewPrivs|CapEff):", "/proc/self/status"],
    expected: { code: 0, stdout: "CapEff:\t0000000000000000\nNoNewPrivs:\t1\n" },
  },
  {
    name: "-u 0 has no new privileges but capabilities",
    args: ["-u0", "{D}", "--", "grep", "-E", "^(NoNewPrivs|CapEff):", "/proc/self/status"],
    expected: { code: 0, stdout: /CapEff:\t0000....ffffffff\nNoNewPrivs:\t1\n/ },
  },
  {
    name: "/ cannot be unmounted",
    args: ["-u0", "-g0", "{D}", "--", "umount", "/"],
    expected: { code: 1, stderr: /can't unmount/ },
  },
  {
    name: "writing to / fails",
    args: ["{D}", "--", "touch", "/x"],
    expected: { code: 1, stderr: /\/x: Read-only file system/ },
    after: "test ! -e image/x",
  },
  {
    name: "-w writes into the image, for the next run too",
    before: "ch-run -w {D} -- sh -c 'echo kept > /x'",
    args: ["-w", "{D}", "--", "sh", "-c", "cat /x && rm /x"],
    expected: { code: 0, stdout: "kept\n", stderr: "" },
    after: "test ! -e image/x",
  },
  {
    name: "/dev /proc /sys /tmp are the host's",
    before: `echo "$$" > /tmp/ch-test.$(id -u)`,
    args: ["{D}", "--", "sh", "-c", "test -c /dev/null -a -d /sys/kernel -a -d /proc/1 && ls /tmp"],
    expected: { code: 0, stdout: /^ch-test\.\d+$/m },
    after: "rm /tmp/ch-test.$(id -u)",
  },
  {
    name: "/etc/hosts and /etc/resolv.conf have the host's content",
    args: ["{D}", "--", "cat", "/etc/hosts"],
    expected: { code: 0, stdout: Deno.readTextFileSync("/etc/hosts") },
  },
  {
    name: "an image without optional files runs without a word",
    before: "rm {D}/etc/hosts {D}/etc/resolv.conf",
    args: ["{D}", "--", "ls", "/etc"],
    expected: { code: 0, stdout: "group\npasswd\n", stderr: "" },
  },
  ...["dev", "proc", "sys", "tmp"].map((name) => ({
    name: `an image without /${name}`,
    before: `rmdir {D}/${name}`,
    args: ["{D}", "--", "true"],
    expected: {
      code: 31,
      stderr: new RegExp(`error: can't bind: destination not found: .*/${name}( |$)`, "m"),
    },
  })),
  ...["passwd", "group"].map((name) => ({
    name: `an image without /etc/${name}`,
    before: `rm {D}/etc/${name}`,
    args: ["{D}", "--", "true"],
    expected: { code: 31, stderr: new RegExp(`can't bind: destination not found: .*/etc/${name}`) },
  })),
  ...["dev", "proc", "sys", "tmp"].map((name) => ({
    name: `an image where /${name} is a file`,
    before: `rmdir {D}/${name} && touch {D}/${name}`,
    args: ["{D}", "--", "true"],
    expected: {
      code: 31,
      stderr: new RegExp(`can't bind /${name} to .*/${name}: Not a directory`),
    },
  })),
  {
    name: "an image where /etc/passwd is a directory",
    before: "rm {D}/etc/passwd && mkdir {D}/etc/passwd",
    args: ["{D}", "--", "true"],
    expected: { code: 31, stderr: /can't bind .* to .*\/etc\/passwd: Not a directory/ },
  },
  {
    name: "--no-passwd needs no passwd",
    before: "rm {D}/etc/passwd {D}/etc/group",
    args: ["--no-passwd", "{D}", "--", "ls", "/etc"],
    expected: { code: 0, stdout: "hosts\nresolv.conf\n" },
  },
  {
    name: "--no-passwd leaves the image's own",
    args: ["--no-passwd", "{D}", "--", "grep", "-c", "image:x:4242", "/etc/passwd"],
    expected: { code: 0, stdout: "1\n" },
  },
  {
    name: "TMPDIR becomes /tmp",
    files: { "scratch/mark": "x" },
    env: { TMPDIR: "{W}/scratch" },
    args: ["{D}", "--", "sh", "-c", "ls /tmp; echo ${TMPDIR-unset}"],
    expected: { code: 0, stdout: "mark\nunset\n" },
    after: 'test "$(ls scratch)" = mark',
  },
  {
    name: "-t is an empty writable tmpfs, gone afterwards",
    args: [
      "-t",
      "{D}",
      "--",
      "sh",
      "-c",
      "ls -A /tmp; stat -f -c %T /tmp; stat -c %a /tmp; echo 1 > /tmp/ch-test-private",
    ],
    expected: { code: 0, stdout: "tmpfs\n1777\n" },
    after: "test ! -e /tmp/ch-test-private",
  },
  {
    name: "-t without /tmp in the image",
    before: "rmdir {D}/tmp",
    args: ["-t", "{D}", "--", "true"],
    expected: { code: 31, stderr: /can't mount tmpfs at .*\/tmp: No such file or directory/ },
  },
  {
    name: "an image without /home",
    args: ["{D}", "--", "ls", "/home"],
    expected: { code: 1, stderr: /\/home: No such file/ },
  },
  {
    name: "a minimal image under --no-passwd",
    before: "mkdir -p mini/dev mini/proc mini/sys mini/tmp && cp {D}/bin/busybox mini/busybox",
    args: ["--no-passwd", "{W}/mini", "--", "/busybox", "ls", "/"],
    expected: { code: 0, stdout: "busybox\ndev\nproc\nsys\ntmp\n" },
  },
]);

test("ch-run shares all namespaces but user and mount", async (work) => {
  const image = work.image();
  const list = 'for n in $(ls /proc/self/ns); do echo "$n $(readlink /proc/self/ns/$n)"; done';
  const outside = (await work.must(list)).split("\n");
  const inside = (await work.run(["ch-run", image, "--", "sh", "-c", list])).stdout.split("\n");
  const differing = outside.filter((line, index) => line !== inside[index])
    .map((line) => line.split(" ")[0]);
  assert.deepEqual(differing, ["mnt", "user"]);
});

test("ch-run leaves the host's root unreachable for UID 0 inside", async (work) => {
  const image = work.image();
  Deno.writeTextFileSync(`${work.path}/outside`, "x");
  // The classic way out: a second chroot, then up and up.
  const script = "mkdir -p /tmp/ch-jail.$$ && cd /tmp/.. && chroot . sh -c 'cd ../../../..; ls'";
  const result = await work.run(["ch-run", "-u0", "-g0", "-t", image, "--", "sh", "-c", script]);
  expect(result, { code: 0, stdout: "bin\ndev\netc\nmnt\nproc\nroot\nsys\ntmp\nusr\n" });
});

test("ch-run keeps the flags of the image's file system", async (work) => {
  work.tree("mounted", {});
  await work.must('mount -t tmpfs -o nodev,nosuid,noatime none "$1/mounted"', [work.path], {
    root: true,
  });
  try {
    const image = work.image("mounted/image");
    const result = await work.run(["ch-run", image, "--", "sh", "-c", "grep ' / ' /proc/mounts"]);
    expect(result, { code: 0, stdout: /tmpfs ro,nosuid,nodev,noatime/ });
  } finally {
    await work.must('umount "$1/mounted"', [work.path], { root: true });
  }
}, "root");

test("ch-run refuses a primary group of 0 for a user", async (work) => {
  const result = await work.run(
    ["setpriv", `--reuid=${rig.uid}`, "--regid=0", "--clear-groups", "ch-run", "--version"],
    { root: true },
  );
  expect(result, { code: 31, stderr: /error: please report this bug \(/ });
}, "root");

test("ch-run refuses a non-zero group for root", async (work) => {
  const result = await work.run(
    ["setpriv", `--regid=${rig.gid}`, "--clear-groups", "ch-run", "--version"],
    { root: true },
  );
  expect(result, { code: 31, stderr: /error: please report this bug \(/ });
}, "root");

for (const mode of ["u+s", "g+s"]) {
  test(`ch-run refuses to run with ${mode}`, async (work) => {
    // Owned by root, so that the bit would have an effect.
    await work.must(
      `cp ${rig.bin}/ch "$1/ch-run" && chown root:root "$1/ch-run" && chmod 755 "$1/ch-run" && chmod ${mode} "$1/ch-run"`,
      [work.path],
      { root: true },
    );
    const result = await work.run([`${work.path}/ch-run`, "--version"]);
    expect(result, { code: 31, stdout: "", stderr: /error: please report this bug \(/ });
  }, "root");
}

test("ch-run runs as root", async (work) => {
  const image = work.image();
  expect(await work.run(["ch-run", image, "--", "id", "-u"], { root: true }), {
    code: 0,
    stdout: "0\n",
  });
}, "root");
