// Images for another processor, run by QEMU (spec workflows §16). The kernel is told of QEMU in a user
// namespace of the test's own (Linux 6.7), so the rest of the machine does not notice.

import assert from "node:assert/strict";
import { expect, rig, type RunOptions, test, type Workplace } from "../rig.ts";

/** Registers QEMU, then runs a command as who called. */
const WITH_QEMU = `unshare --user --map-root-user --mount sh -ec '
  mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
  cat /usr/lib/binfmt.d/qemu-aarch64.conf >/proc/sys/fs/binfmt_misc/register
  exec unshare --user --map-user=${rig.uid} --map-group=${rig.gid} "$@"' sh "$@"`;

function withQemu(work: Workplace, command: readonly string[], options: RunOptions = {}) {
  return work.sh(WITH_QEMU, command, options);
}

/** An image with the busybox of Debian for arm64, and that in storage. */
async function importForeign(work: Workplace): Promise<string> {
  const image = work.image("arm64");
  await work.must('cp -f "$1" "$2/bin/busybox"', [rig.foreignBusybox, image]);
  await work.must('ch-image --arch=arm64/v8 import "$1" arm64/bb', [image]);
  return image;
}

const DOCKERFILE = `FROM arm64/bb
RUN uname -m
RUN touch /f && chown 5:5 /f && mknod /d c 1 3 && echo made
`;

test("images for another architecture are built, converted and run by QEMU", async (work) => {
  await importForeign(work);
  const build = ["ch-image", "--arch=arm64/v8", "build", "-t", "t", "-f", "-", "."];
  const built = await withQemu(work, build, { stdin: DOCKERFILE });
  expect(built, { code: 0, stdout: "aarch64\nmade\n", stderr: /^ {2}2\. RUN\.S uname -m$/m });
  await work.must("ch-convert t ./t");
  expect(await withQemu(work, ["ch-run", "./t", "--", "uname", "-m"]), {
    code: 0,
    stdout: "aarch64\n",
    stderr: "",
  });
  const metadata = JSON.parse(await work.must("cat t/ch/metadata.json"));
  assert.equal(metadata.arch, "arm64");
}, "foreign");

test("root emulation works when system calls come from QEMU", async (work) => {
  const image = await importForeign(work);
  const script = "touch /tmp/f && chown 1:1 /tmp/f && mknod /tmp/d b 8 1; echo $?; ls /tmp";
  const command = ["ch-run", "-t", image, "--", "sh", "-c", script];
  const [name, ...rest] = command;
  expect(await withQemu(work, [name!, "--seccomp", ...rest]), { code: 0, stdout: "0\nf\n" });
  expect(await withQemu(work, command), { stdout: "1\nf\n", stderr: /chown: .*Invalid argument/ });
}, "foreign");

test("without QEMU commands for another architecture say what is missing", async (work) => {
  const image = await importForeign(work);
  const error = /can't execve\(2\): uname: Exec format error \(/;
  const hint = /hint: it is a program for aarch64: .*qemu-user-static/;
  const run = await work.run(["ch-run", image, "--", "uname", "-m"]);
  expect(run, { code: 49, stdout: "", stderr: error });
  assert.match(run.stderr, hint);
  const build = ["ch-image", "build", "-t", "t", "-f", "-", "."];
  const built = await work.run(build, { stdin: DOCKERFILE });
  expect(built, { code: 1, stderr: /RUN command exited with 49/ });
  assert.match(built.stderr, /can't execve\(2\): \/bin\/sh: Exec format error/);
  assert.match(built.stderr, hint);
}, "foreign");

test("a handler that cannot be reached from containers is told", async (work) => {
  const image = await importForeign(work);
  const unreachable = WITH_QEMU.replace("cat /usr", "sed s/:OPF$/:OP/ /usr");
  expect(await work.sh(unreachable, ["ch-run", image, "--", "uname", "-m"]), {
    code: 49,
    stderr: /execve\(2\): uname: No such file.*\n.*hint: it is a program for aarch64; .*flag F/,
  });
}, "foreign");

test("ch-image import --arch=yolo leaves the architecture to the image", async (work) => {
  const image = work.image();
  await work.must('ch-image -a yolo import "$1" a && ch-image -a host import "$1" b', [image]);
  for (const name of ["a", "b"]) {
    const { arch } = JSON.parse(await work.must(`cat storage/img/${name}/ch/metadata.json`));
    assert.notEqual(arch, "yolo");
    assert.notEqual(arch, "host");
  }
});
