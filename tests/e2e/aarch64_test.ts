// The executable for arm64 in user-mode QEMU, as far as that goes: it cannot make user namespaces. A whole
// machine is emulated by tools/machine.sh.

import assert from "node:assert/strict";
import { expect, type Result, rig, test, type Workplace } from "../rig.ts";

const QEMU = "qemu-aarch64-static";

/** Runs TOOL of the executable for arm64 in a container, IMAGE with the C library for it; the test's
 * directory is /mnt/2 there. Not by QEMU's own option for that: it would be in the way of "/". */
function runForeign(
  work: Workplace,
  image: string,
  tool: string,
  ...args: string[]
): Promise<Result> {
  const binds = {
    "/usr/bin": "/mnt/0",
    [rig.aarch64.replace(/\/ch$/, "")]: "/mnt/1",
    [work.path]: "/mnt/2",
    "/usr/aarch64-linux-gnu/lib": "/lib",
  };
  const options = [
    ...Object.entries(binds).map(([from, to]) => `--bind=${from}:${to}`),
    "--cd=/mnt/2",
    "--set-env=CH_IMAGE_STORAGE=/mnt/2/foreign",
  ];
  const emulated = [`/mnt/0/${QEMU}`, "-0", tool, "/mnt/1/ch", ...args];
  return work.run(["ch-run", ...options, image, "--", ...emulated], { limit: 600_000 });
}

test("the arm64 executable is one, and static where the kernel loads it", async (work) => {
  const headers = await work.must('readelf -hlW "$1"', [rig.aarch64]);
  assert.match(headers, /Machine: +AArch64\n/);
  assert.doesNotMatch(headers, /INTERP/);
}, "aarch64");

test("ch-run for arm64 thinks, and says why it cannot act in QEMU", async (work) => {
  const image = work.image();
  const run = (...words: string[]) => work.run([QEMU, "-0", "ch-run", rig.aarch64, ...words]);
  const { stderr: version } = await work.run(["ch-run", "--version"]);
  expect(await run("--version"), { code: 0, stderr: version });
  const { stdout: plan } = await work.run(["ch-run", "--dry-run", image, "--", "true"]);
  expect(await run("--dry-run", image, "--", "true"), { code: 0, stdout: plan });
  expect(await run(image, "--", "true"), {
    code: 31,
    stderr: /can't init user\+mount namespaces: Invalid argument.*\n.*hint: .*emulated \(QEMU\)/,
  });
}, "aarch64");

test("ch-image and ch-convert for arm64 make what those for this machine make", async (work) => {
  work.image("context/image", { "etc/motd": "hello\n" });
  await work.must("echo 'FROM scratch\nCOPY image /\nENV A=b' >context/Dockerfile");
  const outer = work.image("outer", { "lib/": "" });
  expect(await runForeign(work, outer, "ch-image", "build", "-t", "made", "context"), {
    code: 0,
    stderr: /grown in 3 instructions: made/,
  });
  expect(await runForeign(work, outer, "ch-convert", "--tmp=/mnt/2", "made", "foreign.sqfs"), {
    code: 0,
  });
  work.environment.CH_IMAGE_STORAGE = `${work.path}/foreign`;
  // The cache is the same, too: what arm64 built is found here.
  expect(await work.run(["ch-image", "build", "-t", "made", "context"]), {
    code: 0,
    stderr: /^ *2\* COPY/m,
  });
  expect(await work.run(["ch-convert", "made", "native.sqfs"]), { code: 0 });
  await work.must("cmp foreign.sqfs native.sqfs");
}, "aarch64");
