// Pulling and pushing that comes to an end before the end: a full disk, layers that blow up, Ctrl-C.

import assert from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { digestOf, FakeRegistry } from "../fake_registry.ts";
import { expect, rig, test, type Workplace } from "../rig.ts";
import { makeTar } from "../tar_archive.ts";
import { concatenate, tarMember } from "../tree_fixture.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const SMALL = makeTar([{ name: "file", data: "text" }]);
const STORAGE = "bucache\nbularge\ndlcache\nimg\nlock\nulcache\nversion\n";
const PULL = ["ch-image", "--plain-http", "--arch=yolo", "pull"];

/** Runs BODY with a storage directory on a file system of 12 MB. */
async function withSmallDisk(work: Workplace, body: (disk: string) => Promise<void>) {
  const disk = `${work.path}/disk`;
  Deno.mkdirSync(disk);
  await work.must(
    'mount -t tmpfs -o "size=12m,uid=$1,gid=$2" none "$3"',
    [String(rig.uid), String(rig.gid), disk],
    { root: true },
  );
  try {
    await body(disk);
  } finally {
    await work.must('umount -l "$1"', [disk], { root: true });
  }
}

/** A file of SIZE bytes that are no zeros and not like one another, or just no zeros. */
function makeFile(size: number, kind: "random" | "same"): Bytes {
  const data = new Uint8Array(size).fill(97);
  for (let at = 0; kind === "random" && at < size; at += 1 << 16) {
    crypto.getRandomValues(data.subarray(at, at + (1 << 16)));
  }
  return concatenate([tarMember("large", "0", data, { mode: 0o644 }), new Uint8Array(1024)]);
}

const BOMB = makeFile(256 << 20, "same");
const BOMB_CONFIG = { rootfs: { type: "layers", diff_ids: [await digestOf(BOMB)] } };

const TOO_LARGE: readonly (readonly [string, () => Bytes])[] = [
  ["a layer larger than the disk", () => makeFile(20 << 20, "random")],
  ["256 MiB that are 300 KB of gzip", () => new Uint8Array(gzipSync(BOMB))],
  ["256 MiB that are 30 KB of zstd", () => new Uint8Array(zstdCompressSync(BOMB))],
];

for (const [what, makeLayer] of TOO_LARGE) {
  test(`ch-image pull on a full disk changes nothing: ${what}`, async (work) => {
    await using registry = new FakeRegistry();
    await registry.addImage("small", [SMALL]);
    const layer = makeLayer();
    await registry.addImage("large", [layer], layer.length < 1 << 20 ? BOMB_CONFIG : {});
    await withSmallDisk(work, async (disk) => {
      const options = { env: { CH_IMAGE_STORAGE: `${disk}/storage` } };
      const pull = (tag: string) =>
        work.run([...PULL, `${registry.address}/a/b:${tag}`, "x"], options);
      expect(await pull("small"), { code: 0 });
      const result = await pull("large");
      expect(result, { code: 1, stderr: /^error: .*No space left on device/m });
      assert.doesNotMatch(result.stderr, /report this bug|\n {4}at /);
      expect(await work.run(["ch-image", "list"], options), { code: 0, stdout: "x\n", stderr: "" });
      assert.equal(await work.must("ls storage", [], { cwd: disk }), STORAGE);
      assert.equal(await work.must("cat storage/img/x/file", [], { cwd: disk }), "text");
      // What is left of it is the beginning of the blob at most, which a larger disk has a use for.
      assert.match(
        await work.must("cd storage/dlcache; ls | grep part_ || :", [], { cwd: disk }),
        /^(part_[0-9a-f]{64}\.tar\.gz\n)?$/,
      );
    });
  }, "root");
}

test("ch-image pull of what is large holds little in memory", async (work) => {
  await using registry = new FakeRegistry();
  await registry.addImage("1", [new Uint8Array(gzipSync(BOMB))], BOMB_CONFIG);
  const peak = await work.must(
    '"$@" 2>log & pid=$!; while grep VmHWM /proc/$pid/status 2>/dev/null; do sleep 0.1; done ' +
      "| tail -n 1 | tr -dc 0-9; wait $pid",
    [...PULL, `${registry.address}/a/b:1`, "x"],
  );
  assert(Number(peak) > 30_000 && Number(peak) < 300_000, `${peak} KB`);
  assert.equal(Deno.statSync(`${work.path}/storage/img/x/large`).size, 256 << 20);
});

/** Starts a command in a job of its own, and sends it SIGNAL as soon as CONDITION holds. */
const INTERRUPT = 'set -m; signal=$1 condition=$2; shift 2; "$@" & pid=$!; ' +
  'until eval "$condition"; do sleep 0.05; kill -0 $pid || exit 99; done; ' +
  "kill -$signal $pid; wait $pid";

for (const signal of ["INT", "TERM"]) {
  test(`ch-image pull stopped by SIG${signal} leaves what it has got for the next`, async (work) => {
    await using registry = new FakeRegistry();
    const layer = makeFile(8 << 20, "random");
    const [digest] = await registry.addImage("1", [layer]);
    let isStuck = true;
    registry.intercept = (_, url) => {
      if (!isStuck || !url.pathname.endsWith(digest!)) return undefined;
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(layer.subarray(0, 5 << 20)),
      });
      return new Response(body, { headers: { "Content-Length": String(layer.length) } });
    };
    const part = `storage/dlcache/part_${digest!.slice("sha256:".length)}.tar.gz`;
    const command = [...PULL, `${registry.address}/a/b:1`, "x"];
    const begun = `test "$(stat -c %s ${part} 2>/dev/null || echo 0)" -ge 4194304`;
    const result = await work.run(["bash", "-c", INTERRUPT, "bash", signal, begun, ...command]);
    expect(result, { code: 1, stderr: new RegExp(`^error: .*(SIG${signal}|interrupt)`, "im") });
    assert.doesNotMatch(result.stderr, /report this bug|\n {4}at /);
    expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "", stderr: "" });
    const { size } = Deno.statSync(`${work.path}/${part}`);
    assert(size >= 4 << 20, `${size} bytes`);
    isStuck = false;
    expect(await work.run(command), { code: 0 });
    assert(
      registry.asked.some(({ range }) =>
        range === `bytes=${size}-${layer.length - 1}` || range === `bytes=${size}-`
      ),
    );
    assert.equal(Deno.statSync(`${work.path}/storage/img/x/large`).size, 8 << 20);
  });

  test(`ch-image push stopped by SIG${signal} leaves nothing, and the tag as it was`, async (work) => {
    await using registry = new FakeRegistry();
    work.image("image");
    await work.must("ch-image import image s");
    let hasBegun = false;
    const answer = Promise.withResolvers<Response>();
    registry.intercept = (request, url) => {
      if (!["PATCH", "PUT"].includes(request.method) || !url.pathname.includes("uploads")) {
        return undefined;
      }
      if (!hasBegun) Deno.writeTextFileSync(`${work.path}/begun`, "");
      hasBegun = true;
      return answer.promise;
    };
    const command = ["ch-image", "--plain-http", "push", "s", `${registry.address}/a/b:1`];
    const result = await work.run(
      ["bash", "-c", INTERRUPT, "bash", signal, "test -e begun", ...command],
    );
    answer.resolve(new Response(null, { status: 500 }));
    expect(result, { code: 1, stderr: new RegExp(`^error: .*(SIG${signal}|interrupt)`, "im") });
    assert.equal(registry.manifests.size, 0);
    assert.equal(await work.must("ls storage/ulcache; ls storage"), STORAGE);
  });
}

test("ch-image pull and push end cleanly by Ctrl-C on a terminal", async (work) => {
  await using registry = new FakeRegistry();
  const [digest] = await registry.addImage("1", [SMALL]);
  work.image("image");
  await work.must("ch-image import image s");
  const stuck = Promise.withResolvers<Response>();
  using _answered = { [Symbol.dispose]: () => stuck.resolve(new Response(null, { status: 500 })) };
  registry.intercept = (request, url) => {
    const isUpload = request.method === "PUT" && url.pathname.includes("uploads");
    if (!isUpload && !url.pathname.endsWith(digest!)) return undefined;
    Deno.writeTextFileSync(`${work.path}/begun`, "");
    return stuck.promise;
  };
  // The key goes to the terminal when the registry has been asked, and the terminal makes the signal.
  const onTerminal = "rm -f begun; { until test -e begun; do sleep 0.05; done; printf '\\003'; " +
    'cat; } </dev/null | script -qefc "$1" /dev/null';
  const reference = `${registry.address}/a/b:1`;
  for (
    const command of [[...PULL, reference, "x"], [
      "ch-image",
      "--plain-http",
      "push",
      "s",
      reference,
    ]]
  ) {
    const result = await work.sh(onTerminal, [`exec ${command.join(" ")}`]);
    expect(result, {
      code: 1,
      stdout: /error: received SIGINT, exiting[^]*error: received SIGINT/,
    });
    assert.doesNotMatch(result.stdout, /report this bug|\n {4}at /);
    assert.equal(await work.must("ls storage; ls storage/img storage/ulcache"), CLEAN);
  }
});

const CLEAN = `${STORAGE}storage/img:\ns\n\nstorage/ulcache:\n`;

test("ch-image push on a full disk says so and leaves nothing", async (work) => {
  await using registry = new FakeRegistry();
  work.tree("image", { "bin/": "", "large": "" });
  Deno.writeFileSync(`${work.path}/image/large`, makeFile(20 << 20, "random"));
  await withSmallDisk(work, async (disk) => {
    const options = { env: { CH_IMAGE_STORAGE: `${disk}/storage` } };
    const reference = `${registry.address}/a/b:1`;
    const push = ["ch-image", "--plain-http", "push", "--image", "image", reference];
    const result = await work.run(push, options);
    expect(result, { code: 1, stderr: /^error: .*No space left on device/m });
    assert.doesNotMatch(result.stderr, /report this bug|\n {4}at /);
    assert.equal(await work.must("ls storage/ulcache", [], { cwd: disk }), "");
    assert.equal(registry.manifests.size + registry.blobs.size, 0);
  });
}, "root");

test("two ch-image push of one image at once both succeed", async (work) => {
  await using registry = new FakeRegistry();
  work.image("image");
  await work.must("ch-image import image s");
  const push = () =>
    work.run(["ch-image", "--plain-http", "push", "s", `${registry.address}/a/b:1`]);
  for (const result of await Promise.all([push(), push(), push()])) expect(result, { code: 0 });
  assert.equal(registry.uploads.size, 0);
  expect(await work.run([...PULL, `${registry.address}/a/b:1`, "x"]), { code: 0 });
});
