import assert from "node:assert/strict";
import { DOCKER, isLayerType, OCI } from "../../../lib/oci/media_type.ts";
import * as model from "../../../lib/oci/model.ts";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;
const config = { mediaType: OCI.config, digest: DIGEST, size: 7 };
const layer = { mediaType: OCI.layerGzip, digest: DIGEST, size: 2 ** 33 };
const MANIFEST = { schemaVersion: 2, mediaType: OCI.manifest, config, layers: [layer] };
const INDEX = {
  schemaVersion: 2,
  mediaType: OCI.index,
  manifests: [{
    mediaType: OCI.manifest,
    digest: DIGEST,
    size: 5,
    platform: { architecture: "arm64", os: "linux", variant: "v8" },
  }],
};

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}

Deno.test("parseDocument() reads what encodeDocument() writes", () => {
  const manifest = model.parseDocument(encode(MANIFEST), "m");
  assert.deepEqual(manifest, { kind: "manifest", manifest: MANIFEST });
  assert(manifest.kind === "manifest");
  assert.deepEqual(
    model.parseDocument(model.encodeDocument(manifest.manifest), "m", OCI.manifest),
    manifest,
  );
  assert.deepEqual(model.parseDocument(encode(INDEX), "i"), { kind: "index", index: INDEX });
});

Deno.test("parseDocument() does without media types and with null", () => {
  const bare = { ...MANIFEST, mediaType: undefined, annotations: null };
  assert.deepEqual(model.parseDocument(encode(bare), "m"), {
    kind: "manifest",
    manifest: MANIFEST,
  });
  const docker = { ...bare, config: { ...config, mediaType: DOCKER.config } };
  const document = model.parseDocument(encode(docker), "m");
  assert(document.kind === "manifest");
  assert.equal(document.manifest.mediaType, DOCKER.manifest);
});

const REFUSED: readonly (readonly [string, unknown, RegExp, string?])[] = [
  ["text", "hello", /^bad manifest: x: not JSON: /],
  ["a number", 7, /^bad manifest: x: not an object$/],
  ["null", null, /^bad manifest: x: missing$/],
  ["an empty document", "", /not JSON/],
  ["nothing", {}, /neither “manifests” nor “layers”/],
  ["both in one", { ...MANIFEST, ...INDEX, mediaType: undefined }, /both “manifests” and “layers”/],
  ["Docker's first format", { schemaVersion: 1, fsLayers: [] }, /first image format/],
  [
    "version 1",
    { ...MANIFEST, schemaVersion: 1 },
    /^bad manifest: x: schemaVersion: 1 is not supp/,
  ],
  ["no version", { ...MANIFEST, schemaVersion: undefined }, /schemaVersion: missing$/],
  [
    "an index by name",
    { ...MANIFEST, mediaType: OCI.index },
    /manifest that is said to be .*index/,
  ],
  ["a manifest by name", { ...INDEX, mediaType: DOCKER.manifest }, /index that is said to be/],
  ["an index by descriptor", MANIFEST, /manifest that is said to be/, OCI.index],
  ["no config", { ...MANIFEST, config: undefined }, /^bad manifest: x: config: missing$/],
  ["no layers", { ...MANIFEST, layers: null }, /^bad manifest: x: layers: missing$/],
  ["layers that are no list", { ...MANIFEST, layers: {} }, /layers: not a list/],
  ["a layer that is none", { ...MANIFEST, layers: ["x"] }, /layers\[0\]: not an object/],
  [
    "a digest that leads elsewhere",
    { ...MANIFEST, layers: [layer, { ...layer, digest: "sha256:../../etc/passwd" }] },
    /layers\[1\]\.digest: not a SHA-256 digest: "sha256:\.\.\//,
  ],
  [
    "a digest in capitals",
    { ...MANIFEST, config: { ...config, digest: DIGEST.toUpperCase() } },
    /conf/,
  ],
  [
    "a size below zero",
    { ...MANIFEST, config: { ...config, size: -1 } },
    /size: not a whole number/,
  ],
  [
    "a size that is no number",
    { ...MANIFEST, config: { ...config, size: "7" } },
    /config\.size: not/,
  ],
  ["a broken size", { ...MANIFEST, config: { ...config, size: 1.5 } }, /config\.size: not a whole/],
  ["a huge size", { ...MANIFEST, config: { ...config, size: 1e300 } }, /config\.size: not a whole/],
  [
    "a wrong platform",
    { ...INDEX, manifests: [{ ...config, platform: {} }] },
    /architecture: missing/,
  ],
  ["wrong annotations", { ...MANIFEST, annotations: { a: 1 } }, /annotations\.a: not a text/],
];
for (const [name, document, message, mediaType] of REFUSED) {
  Deno.test(`parseDocument() refuses ${name}`, () => {
    assert.throws(() => model.parseDocument(encode(document), "x", mediaType), {
      name: "ChError",
      message,
    });
  });
}

Deno.test("parseDocument() refuses what is too large, or no UTF-8", () => {
  const large = encode(`{"x":"${"x".repeat(model.MAX_DOCUMENT)}"}`);
  assert.throws(() => model.parseDocument(large, "x"), /^ChError: too large: x: \d+ bytes/);
  const raw = Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d);
  assert.throws(() => model.parseDocument(raw, "x"), /not JSON: not UTF-8/);
});

const CONFIG = {
  architecture: "amd64",
  os: "linux",
  config: { Env: ["PATH=/bin", "EMPTY="], Cmd: ["sh"], Labels: { a: "b" }, StopSignal: "TERM" },
  rootfs: { type: "layers", diff_ids: [DIGEST] },
  history: [{ created_by: "x", empty_layer: true }, { created_by: "y" }],
  docker_version: "20.10",
};

Deno.test("parseImageConfig() keeps what it does not know, but null", () => {
  const padded = {
    ...CONFIG,
    author: null,
    config: { ...CONFIG.config, Entrypoint: null, Volumes: null },
  };
  assert.deepEqual(model.parseImageConfig(encode(padded), "c"), CONFIG);
  const bare = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: null } };
  assert.deepEqual(model.parseImageConfig(encode(bare), "c"), {
    ...bare,
    rootfs: { type: "layers", diff_ids: [] },
  });
});

const BAD_CONFIGS: readonly (readonly [unknown, RegExp])[] = [
  [{ ...CONFIG, architecture: 7 }, /^bad image configuration: c: architecture: not a text$/],
  [{ ...CONFIG, os: undefined }, /os: missing/],
  [{ ...CONFIG, rootfs: undefined }, /rootfs: missing/],
  [{ ...CONFIG, rootfs: { diff_ids: ["x"] } }, /rootfs\.diff_ids\[0\]: not a SHA-256 digest/],
  [{ ...CONFIG, config: [] }, /config: not an object/],
  [{ ...CONFIG, config: { Env: ["PATH"] } }, /config\.Env\[0\]: not NAME=VALUE: "PATH"/],
  [{ ...CONFIG, config: { Env: ["=x"] } }, /config\.Env\[0\]: not NAME=VALUE/],
  [{ ...CONFIG, config: { Cmd: "sh" } }, /config\.Cmd: not a list/],
  [{ ...CONFIG, config: { Labels: { a: {} } } }, /config\.Labels\.a: not a text/],
  [{ ...CONFIG, config: { Volumes: [] } }, /config\.Volumes: not an object/],
  [{ ...CONFIG, config: { User: 0 } }, /config\.User: not a text/],
  [{ ...CONFIG, history: [7] }, /history\[0\]: not an object/],
  [{ ...CONFIG, history: [{ empty_layer: 1 }] }, /history\[0\]\.empty_layer: not true or false/],
];
for (const [document, message] of BAD_CONFIGS) {
  Deno.test(`parseImageConfig() refuses ${message.source}`, () => {
    assert.throws(() => model.parseImageConfig(encode(document), "c"), {
      name: "ChError",
      message,
    });
  });
}

Deno.test("requireImage() knows all kinds of layers, and nothing else", () => {
  for (const type of [OCI.layer, OCI.layerGzip, OCI.layerZstd, DOCKER.layer, DOCKER.layerGzip]) {
    assert(isLayerType(type), type);
  }
  assert(isLayerType("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"));
  assert(isLayerType("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
  const chart = { ...layer, mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip" };
  const manifest = { ...MANIFEST, schemaVersion: 2 as const };
  model.requireImage(manifest, "x");
  assert.throws(
    () => model.requireImage({ ...manifest, layers: [chart] }, "x"),
    /not a container image: x: layer of type application\/vnd\.cncf/,
  );
});
