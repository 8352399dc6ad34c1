// ch-convert when others write where it writes, and when it is stopped: an output is whole or not there, and
// --no-clobber never replaces anything.

import assert from "node:assert/strict";
import { exists, expect, type Workplace } from "../rig.ts";
import { listFiles, listNames, listTemporary, test } from "./convert_place.ts";
import { installDocker } from "./fake_docker.ts";

interface Output {
  readonly format: string;
  readonly name: string;
  /** Shell commands that fail unless it is whole, by making of it the directory "back". */
  readonly check: string;
}
const unpack = (format: string, name: string) => `ch-convert -q -i ${format} ${name} ./back`;
const OUTPUTS: readonly Output[] = [
  { format: "dir", name: "out", check: "cp -a out back" },
  { format: "squash", name: "out.sqfs", check: unpack("squash", "out.sqfs") },
  { format: "tar", name: "out.tgz", check: `gzip -t out.tgz; ${unpack("tar", "out.tgz")}` },
  { format: "oci", name: "layout", check: unpack("oci", "layout") },
  { format: "oci-archive", name: "oci.tar", check: unpack("oci-archive", "oci.tar") },
  { format: "docker-archive", name: "saved.tar", check: unpack("docker-archive", "saved.tar") },
];

async function mustBeWhole(work: Workplace, { check }: Output): Promise<void> {
  await work.must(check);
  assert.equal(await listFiles(work, "back"), await listFiles(work, "image"));
  await work.must("rm -rf back");
}

/** An image in Docker's storage, which is read when the test says so: all checks are over then. */
async function makeHeldInput(work: Workplace) {
  work.image();
  const docker = installDocker(work);
  await work.must("ch-convert -q -o docker ./image a");
  docker.set("held", true);
  return docker;
}

for (const output of OUTPUTS) {
  const { format, name } = output;
  for (const options of [[], ["--no-clobber"]]) {
    test(`three ch-convert ${options.join("")} to one ${format}`, async (work) => {
      const docker = await makeHeldInput(work);
      const command = ["ch-convert", ...options, "-i", "docker", "-o", format, "a", name];
      const children = [1, 2, 3].map(() => work.spawn(command));
      await docker.untilHeld(3);
      docker.set("held", false);
      const results = await Promise.all(children.map((child) => child.output()));
      const errors = results.filter(({ code }) => code !== 0)
        .map(({ stderr }) => new TextDecoder().decode(stderr));
      await mustBeWhole(work, output);
      assert.equal(errors.length, options.length === 0 ? 0 : 2, errors.join("---\n"));
      for (const error of errors) {
        assert.match(error, /^error: exists.*, not deleting per --no-clobber: \S+$/m);
      }
      assert.deepEqual(listNames(work.path), ["home", "image", name].sort());
      if (options.length === 0) assert.deepEqual(listTemporary(work), []);
    });
  }

  test(`ch-convert --no-clobber to ${format} keeps what appears meanwhile`, async (work) => {
    const docker = await makeHeldInput(work);
    const command = ["ch-convert", "--no-clobber", "-i", "docker", "-o", format, "a", name];
    const child = work.spawn(command);
    await docker.untilHeld(1);
    const isDirectory = format === "dir" || format === "oci";
    // Such as it would replace otherwise.
    const mine = isDirectory ? `${name}/mine` : name;
    if (isDirectory) {
      work.tree(name, { "mine": "x", "bin/": "", "dev/": "", "usr/": "", "oci-layout": "{}" });
    } else work.tree(".", { [name]: "x" });
    docker.set("held", false);
    const { code, stderr } = await child.output();
    assert.equal(code, 1);
    assert.match(
      new TextDecoder().decode(stderr),
      new RegExp(`^error: exists, not deleting per --no-clobber: ${name}$`, "m"),
    );
    assert.equal(Deno.readTextFileSync(`${work.path}/${mine}`), "x");
    assert.deepEqual(listNames(work.path), ["home", "image", name].sort());
  });
}

test("two ch-convert to one storage: the second is told to wait", async (work) => {
  const docker = await makeHeldInput(work);
  const command = ["ch-convert", "--no-clobber", "-i", "docker", "a", "stored"];
  const first = work.spawn(command);
  await docker.untilHeld(1);
  expect(await work.run(command), {
    code: 1,
    stderr: /^error: storage directory is already in use$/m,
  });
  docker.set("held", false);
  assert.equal((await first.output()).code, 0);
  expect(await work.run(command), {
    code: 1,
    stderr: /^error: exists in ch-image storage, not deleting per --no-clobber: stored$/m,
  });
  const stored = { format: "ch-image", name: "stored", check: unpack("ch-image", "stored") };
  await mustBeWhole(work, stored);
});

for (const format of ["dir", "oci"]) {
  test(`ch-convert to ${format} keeps a stranger that appears meanwhile`, async (work) => {
    const docker = await makeHeldInput(work);
    const child = work.spawn(["ch-convert", "-i", "docker", "-o", format, "a", "out"]);
    await docker.untilHeld(1);
    work.tree("out", { "mine": "x" });
    docker.set("held", false);
    const { code, stderr } = await child.output();
    assert.equal(code, 1);
    assert.match(
      new TextDecoder().decode(stderr),
      /^error: exists but does not appear to be an .*and is not empty: out$/m,
    );
    assert.equal(Deno.readTextFileSync(`${work.path}/out/mine`), "x");
    assert.deepEqual(listNames(work.path), ["home", "image", "out"]);
  });
}

test("ch-convert notices a mount that appears meanwhile in what it is to replace", async (work) => {
  const docker = await makeHeldInput(work);
  work.image("out", { "precious/": "", "stray": "x" });
  work.tree("mounted", { "mark": "x" });
  const child = work.spawn(["ch-convert", "-i", "docker", "-o", "dir", "a", "out"]);
  await docker.untilHeld(1);
  await work.must('mount --bind "$1/mounted" "$1/out/precious"', [work.path], { root: true });
  try {
    docker.set("held", false);
    const { code, stderr } = await child.output();
    assert.equal(code, 1);
    assert.match(
      new TextDecoder().decode(stderr),
      /^error: .*something is mounted at \S*precious/m,
    );
    await work.must("test -e mounted/mark -a -e out/stray -a -e out/bin/busybox");
    assert.deepEqual(listNames(work.path), ["home", "image", "mounted", "out"]);
  } finally {
    await work.must('umount "$1/out/precious"', [work.path], { root: true });
  }
}, "root");

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
  test(`ch-convert of layers stopped by ${signal} leaves a whole output or none`, async (work) => {
    work.image();
    await work.must("head -c 20000000 /dev/urandom > image/usr/random");
    await work.must("ch-convert -q -o oci ./image in.oci");
    const before = ["home", "image", "in.oci"];
    const layered = OUTPUTS.filter(({ format }) => /oci|docker/.test(format));
    const cases: readonly (readonly [string, string, Output])[] = [
      ...layered.map((output) => ["dir", "./image", output] as const),
      ...OUTPUTS.slice(0, 2).map((output) => ["oci", "in.oci", output] as const),
    ];
    for (const [inFormat, input, output] of cases) {
      for (const milliseconds of [80, 160, 300, 500]) {
        const { format, name } = output;
        const child = work.spawn(["ch-convert", "-i", inFormat, "-o", format, input, name]);
        await new Promise((done) => setTimeout(done, milliseconds));
        try {
          child.kill(signal);
        } catch (error) {
          // It has ended.
          if (!(error instanceof TypeError)) throw error;
        }
        const { code } = await child.output();
        const isThere = exists(`${work.path}/${name}`);
        assert.ok(isThere || code !== 0, `${format}, status ${code}`);
        if (isThere) await mustBeWhole(work, output);
        if (signal !== "SIGKILL") {
          assert.equal(isThere, code === 0, `${format}, status ${code}`);
          assert.deepEqual(listNames(work.path), isThere ? [...before, name].sort() : before);
          assert.deepEqual(listTemporary(work), []);
        }
        // What could not be removed is hidden beside its place, and in $TMPDIR.
        await work.must(`rm -rf ${name} .${name}.* home/tmp/*`);
      }
    }
    expect(await work.run(["ch-convert", "-o", "oci", "./image", "layout"]), { code: 0 });
  });
}
