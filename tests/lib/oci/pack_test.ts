// Packing and unpacking images, one against the other and against hostile ones.

import assert from "node:assert/strict";
import { CONVERT_RULES } from "../../../lib/layer/image_rules.ts";
import { OCI } from "../../../lib/oci/media_type.ts";
import type { Descriptor } from "../../../lib/oci/model.ts";
import * as pack from "../../../lib/oci/pack.ts";
import { hostPlatform } from "../../../lib/oci/platform.ts";
import { readFiles, readImage } from "../../../lib/oci/unpack.ts";
import { entriesOf, lines, makeTar, showEntries } from "../../tree_fixture.ts";
import { RecordingLog } from "../recording_log.ts";
import { MemoryBlobs } from "./memory_blobs.ts";

const PLATFORM = { os: "linux", architecture: "amd64" };
const TREE = `
  d 0755 '' @1000
  d 0755 etc @1001
  f 0644 etc/hosts "localhost" @1002
  l etc/link -> hosts @1003
  h hosts = etc/hosts @1002
  f 4755 su "${"x".repeat(3000)}" @1004`;
const CONFIG = {
  ...PLATFORM,
  created: "2026-01-02T03:04:05Z",
  config: { Env: ["A=b"], Cmd: ["sh"], Labels: { one: "1" } },
  history: [{ created_by: "first" }, { created_by: "second" }, {
    created_by: "env",
    empty_layer: true,
  }],
};
const RULES = { ...CONVERT_RULES, log: new RecordingLog() };

for (const style of ["oci", "docker"] as const) {
  for (const compressor of ["gzip", "none", "zstd"] as const) {
    if (style === "docker" && compressor === "zstd") continue;
    Deno.test(`packImage() and readImage() agree: ${style}, ${compressor}`, async () => {
      const blobs = new MemoryBlobs();
      const { blob } = await packTree(blobs, style, compressor);
      const { manifest, config } = await readImage(blobs, blob, PLATFORM, "x");
      assert.equal(manifest.layers[0]!.mediaType, pack.layerType(style, compressor));
      assert.deepEqual(config.config, CONFIG.config);
      assert.deepEqual(config.history, [
        { created_by: "first", empty_layer: true },
        { created_by: "second" },
        { created_by: "env", empty_layer: true },
      ]);
      const shown = await showEntries(readFiles(blobs, manifest.layers, RULES), { times: true });
      assert.equal(
        shown,
        lines(`
          d 0755 '' @1000
          d 0755 etc @1001
          f 0644 etc/hosts "localhost" @1002
          h hosts = etc/hosts @1002
          l etc/link -> hosts @1003
          f 4755 su "${"x".repeat(3000)}" @1004`),
      );
    });
  }
}

Deno.test("packImage() gives the same bytes for the same tree, and writes them once", async () => {
  const blobs = new MemoryBlobs();
  const first = await packTree(blobs, "oci", "gzip");
  assert.equal(blobs.writes, 3);
  assert.deepEqual(await packTree(blobs, "oci", "gzip"), first);
  assert.equal(blobs.blobs.size, 3);
});

Deno.test("fitHistory() has as many layers as there are", () => {
  const empty = { empty_layer: true };
  assert.deepEqual(pack.fitHistory([], 1), [{ created_by: "ch-convert" }]);
  assert.deepEqual(pack.fitHistory([empty], 1), [{ created_by: "ch-convert" }, empty]);
  assert.deepEqual(pack.fitHistory([{ a: 1 }, { a: 2 }], 1), [{ a: 1, ...empty }, { a: 2 }]);
  assert.deepEqual(pack.fitHistory([{ a: 1 }, empty], 0), [{ a: 1, ...empty }, empty]);
});

Deno.test("readImage() finds the platform's image in indexes", async () => {
  const blobs = new MemoryBlobs();
  const { blob } = await packTree(blobs, "oci", "gzip");
  const other = await blobs.putJson(OCI.manifest, { other: true });
  const unknown = { os: "unknown", architecture: "unknown" };
  const inner = await putIndex(blobs, [
    { ...other, platform: unknown },
    { ...other, platform: { os: "windows", architecture: "amd64" } },
    { ...other, platform: { os: "linux", architecture: "arm64", variant: "v8" } },
    { ...blob, platform: PLATFORM },
  ]);
  const outer = await putIndex(blobs, [inner]);
  assert.equal((await readImage(blobs, outer, PLATFORM, "x")).config.architecture, "amd64");
  await assert.rejects(readImage(blobs, outer, { os: "linux", architecture: "ppc64le" }, "x"), {
    message: "no image for linux/ppc64le: x: there is unknown/unknown, windows/amd64, " +
      "linux/arm64/v8, linux/amd64",
  });
  const wrongVariant = { os: "linux", architecture: "arm64", variant: "v7" };
  await assert.rejects(readImage(blobs, outer, wrongVariant, "x"), /no image for linux\/arm64\/v7/);
  await assert.rejects(
    readImage(blobs, await putIndex(blobs, [other, blob]), PLATFORM, "x"),
    /no image for linux\/amd64: x: there is unknown, unknown/,
  );
  await assert.rejects(
    readImage(blobs, await putIndex(blobs, []), PLATFORM, "x"),
    /there is none$/,
  );
});

Deno.test("readImage() does not follow indexes without end", async () => {
  const blobs = new MemoryBlobs();
  let index = await putIndex(blobs, []);
  for (let depth = 0; depth < 10; depth++) index = await putIndex(blobs, [index]);
  await assert.rejects(readImage(blobs, index, PLATFORM, "x"), /too many indexes in indexes: x/);
});

Deno.test("readImage() refuses documents that do not fit together", async () => {
  const blobs = new MemoryBlobs();
  const { blob, manifest } = await packTree(blobs, "oci", "gzip");
  const put = (change: object) => blobs.putJson(OCI.manifest, { ...manifest, ...change });
  const cases: [Descriptor, RegExp][] = [
    [{ ...blob, mediaType: OCI.index }, /manifest that is said to be .*index/],
    [{ ...blob, size: blob.size + 1 }, /^wrong size: /],
    [{ ...blob, size: 2 ** 40 }, /^too large: /],
    [await put({ layers: [] }), /bad image configuration: x: 1 layers, but 0 in the manifest/],
    [await put({ config: manifest.layers[0] }), /bad image configuration: x: sha256:.*: not JSON/],
    [
      await put({ config: { ...manifest.config, digest: `sha256:${"0".repeat(64)}` } }),
      /^wrong size/,
    ],
    [
      await put({ layers: [{ ...manifest.layers[0], mediaType: "application/x" }] }),
      /not a container image: x: layer of type application\/x/,
    ],
  ];
  for (const [target, message] of cases) {
    await assert.rejects(readImage(blobs, target, PLATFORM, "x"), { name: "ChError", message });
  }
});

Deno.test("readFiles() refuses layers that are damaged or hostile", async () => {
  const blobs = new MemoryBlobs();
  const layer = async (text: string) => await blobs.put(OCI.layer, makeTar(text));
  const good = await layer(`f 0644 a "x"`);
  blobs.blobs.set(`sha256:${"1".repeat(64)}`, makeTar(`f 0644 a "y"`));
  const cases: [Descriptor, RegExp][] = [
    [await layer(`f 0644 a/../../b "x"`), /rejecting up-level member: sha256:\S+ a\/\.\.\/\.\.\/b/],
    [await layer(`h a = ../b`), /rejecting too many up-levels/],
    [{ ...good, digest: `sha256:${"1".repeat(64)}` }, /^wrong content: sha256:/],
    [{ ...good, size: good.size - 512 }, /^wrong size: sha256:/],
    [await blobs.put(OCI.layer, new TextEncoder().encode("no archive")), /cannot open: sha256:/],
    [await blobs.put(OCI.layer, new Uint8Array()), /cannot open: sha256:\S+ empty file/],
  ];
  for (const [blob, message] of cases) {
    await assert.rejects(showEntries(readFiles(blobs, [blob], RULES)), {
      name: "ChError",
      message,
    });
  }
});

Deno.test("readFiles() says once what it leaves out, with the layer", async () => {
  const blobs = new MemoryBlobs();
  const log = new RecordingLog();
  const layers = [
    await blobs.put(OCI.layer, makeTar(`f 0644 a "x"`)),
    await blobs.put(OCI.layer, makeTar(`c 0666 null 1,3\nf 0644 b "y"`)),
  ];
  await showEntries(readFiles(blobs, layers, { ...CONVERT_RULES, log, devices: "drop" }));
  const short = layers[1]!.digest.slice(7, 14);
  assert.deepEqual(log.lines, [`warning: layer 2/2: ${short}: ignored 1 devices and/or FIFOs`]);
});

Deno.test("hostPlatform() is Linux", () => {
  assert.equal(hostPlatform().os, "linux");
});

async function packTree(
  blobs: MemoryBlobs,
  style: pack.ImageStyle,
  compressor: pack.LayerOptions["compressor"],
): Promise<pack.PackedImage> {
  const layer = await pack.packLayer(entriesOf(TREE), blobs, { style, compressor });
  return await pack.packImage([layer], CONFIG, blobs, style);
}

function putIndex(blobs: MemoryBlobs, manifests: readonly Descriptor[]): Promise<Descriptor> {
  return blobs.putJson(OCI.index, { schemaVersion: 2, mediaType: OCI.index, manifests });
}
