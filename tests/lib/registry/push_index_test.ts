import assert from "node:assert/strict";
import { OCI } from "../../../lib/oci/media_type.ts";
import type { Descriptor, Platform } from "../../../lib/oci/model.ts";
import { addToIndex, type OpenIndex } from "../../../lib/oci/open_index.ts";
import { extendIndex } from "../../../lib/registry/push_index.ts";
import { Repository } from "../../../lib/registry/repository.ts";
import { FakeRegistry } from "../../fake_registry.ts";
import { RecordingLog } from "../recording_log.ts";
import { ANONYMOUS } from "./pull_place.ts";

function image(name: string, architecture: string, variant?: string) {
  const platform: Platform = { os: "linux", architecture, ...variant && { variant } };
  const digest = `sha256:${name.padEnd(64, "0")}`;
  return { mediaType: OCI.manifest, digest, size: 1, platform };
}

function indexOf(...manifests: readonly Descriptor[]): OpenIndex {
  return { schemaVersion: 2, mediaType: OCI.index, manifests };
}

const AMD = image("a", "amd64"), ARM = image("b", "arm64"), NEW = image("c", "arm64", "v8");
const ABOUT_ARM = {
  ...image("d", "unknown"),
  annotations: { "vnd.docker.reference.digest": ARM.digest },
};

const CASES: readonly [string, readonly Descriptor[], typeof AMD, readonly Descriptor[]][] = [
  ["the first", [], AMD, [AMD]],
  ["one more, at the end", [AMD], ARM, [AMD, ARM]],
  ["the same again", [AMD, ARM], AMD, [AMD, ARM]],
  ["another for the same platform, in its place", [ARM, AMD], NEW, [NEW, AMD]],
  ["not the variant of another", [image("e", "arm", "v6")], image("f", "arm", "v7"), [
    image("e", "arm", "v6"),
    image("f", "arm", "v7"),
  ]],
  ["without what was about the old one", [ARM, ABOUT_ARM, AMD], NEW, [NEW, AMD]],
  ["with what is about the same", [ARM, ABOUT_ARM], ARM, [ARM, ABOUT_ARM]],
  ["once, where it was twice", [ARM, AMD, { ...ARM }], NEW, [NEW, AMD]],
];

for (const [what, before, added, after] of CASES) {
  Deno.test(`addToIndex(): ${what}`, () => {
    assert.deepEqual(addToIndex(indexOf(...before), added).manifests, after);
  });
}

async function extend(registry: FakeRegistry, added = ARM) {
  const name = { host: "127.0.0.1", port: registry.port, path: ["a"], name: "b" };
  const log = new RecordingLog();
  using repository = new Repository(name, {
    trust: { verify: true },
    credentials: ANONYMOUS,
    plainHttp: true,
    retries: { pauses: [], patience: 20_000 },
    log,
  });
  const { mediaType, bytes } = await extendIndex(repository, "1", added, log);
  return { mediaType, index: JSON.parse(new TextDecoder().decode(bytes)), log };
}

Deno.test("extendIndex() begins an index where there is nothing", async () => {
  await using registry = new FakeRegistry();
  const { mediaType, index, log } = await extend(registry);
  assert.equal(mediaType, OCI.index);
  assert.deepEqual(index, { schemaVersion: 2, mediaType: OCI.index, manifests: [ARM] });
  assert(log.lines.includes("index: linux/arm64"));
});

Deno.test("extendIndex() keeps what it does not know", async () => {
  await using registry = new FakeRegistry();
  const odd = { ...AMD, artifactType: "x", annotations: { a: "b" } };
  const present = { ...indexOf(odd), subject: { digest: "y" }, annotations: { c: "d" } };
  await registry.addManifest("1", present, OCI.index);
  const { index } = await extend(registry);
  assert.deepEqual(index, { ...present, manifests: [odd, ARM] });
});

Deno.test("extendIndex() makes an entry of an image that had the tag", async () => {
  await using registry = new FakeRegistry();
  await registry.addImage("1", []);
  const { index } = await extend(registry);
  assert.deepEqual(
    index.manifests.map(({ platform }: Descriptor) => platform?.architecture),
    ["amd64", "arm64"],
  );
  const { bytes } = registry.manifests.get(index.manifests[0].digest)!;
  assert.equal(index.manifests[0].size, bytes.length);
});

for (const status of [401, 403, 500]) {
  Deno.test(`extendIndex() begins no index after status ${status}`, async () => {
    await using registry = new FakeRegistry();
    registry.intercept = () => new Response(null, { status });
    await assert.rejects(extend(registry));
  });
}

Deno.test("extendIndex() refuses what is neither index nor image", async () => {
  await using registry = new FakeRegistry();
  await registry.addManifest("1", { schemaVersion: 2, mediaType: "x" }, "x");
  await assert.rejects(extend(registry), /neither “manifests” nor “layers”/);
});
