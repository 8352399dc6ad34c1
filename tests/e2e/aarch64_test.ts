// The executable for arm64 in user-mode QEMU, as far as that goes: it cannot make user namespaces. A whole
// machine is emulated by tools/machine.sh.

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { FakeRegistry } from "../fake_registry.ts";
import { expect, type Result, rig, test, type Workplace } from "../rig.ts";
import { makeTar } from "../tar_archive.ts";
import { describeImages } from "./kill_rounds.ts";

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

test("ch-image for arm64 pulls and pushes what that for this machine does", async (work) => {
  await using registry = new FakeRegistry();
  const noise = crypto.getRandomValues(new Uint8Array(60_000));
  const text = Array.from({ length: 60_000 }, (_, at) => `${at * at} lines and links\n`).join("");
  const layers = [
    makeTar([
      { name: "bin/", type: "5" },
      { name: "bin/text", data: text },
      { name: "bin/noise", data: new TextDecoder("latin1").decode(noise) },
      { name: "bin/hard", type: "1", link: "bin/text" },
      ...Array.from({ length: 300 }, (_, at) => ({ name: `bin/${at}`, data: `${at}`.repeat(at) })),
    ]),
    makeTar([
      { name: "bin/.wh.1" },
      { name: "bin/2", type: "2", link: "text" },
      { name: "bin/3/", type: "5" },
      { name: "bin/text", data: "new" },
    ]),
  ];
  await registry.addImage("1", layers.map((layer) => new Uint8Array(gzipSync(layer))));
  const pull = ["--plain-http", "-ayolo", "pull", `${registry.address}/a/b:1`, "x"];
  // The same tree for both: what pulling adds to an image has the time of the pull.
  const push = (tag: string, ...options: string[]) => {
    const reference = `${registry.address}/a/b:${tag}`;
    return ["--plain-http", "push", "--image=storage/img/x", ...options, "x", reference];
  };
  const formats = {
    gzip: [],
    best: ["--compression-level=9"],
    zstd: ["--compression-format=zstd"],
  };
  const outer = work.image("outer", { "lib/": "" });
  const pushed: string[][] = [];
  const runners = {
    native: (...args: string[]) => work.run(["ch-image", ...args]),
    foreign: (...args: string[]) => runForeign(work, outer, "ch-image", ...args),
  };
  for (const [name, run] of Object.entries(runners)) {
    expect(await run(...pull), { code: 0, stderr: /layer 2\/2: .{7}: extracting\n/ });
    const layers: string[] = [];
    for (const [format, options] of Object.entries(formats)) {
      expect(await run(...push(`${name}-${format}`, ...options)), { code: 0, stderr: /\ndone\n$/ });
      const { bytes } = registry.manifests.get(`${name}-${format}`)!;
      layers.push(JSON.parse(new TextDecoder().decode(bytes)).layers[0].digest);
    }
    pushed.push(layers);
  }
  assert.deepEqual(pushed[0], pushed[1]);
  const pulled = await describeImages(work);
  await work.must("rm -rf storage && mv foreign storage");
  assert.deepEqual(await describeImages(work), pulled);
}, "aarch64");
