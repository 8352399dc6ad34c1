// Manifests and configurations that contradict the contract, themselves or what they name (spec
// ch-image §11.1, §11.2).

import assert from "node:assert/strict";
import { makeTar } from "../../tar_archive.ts";
import {
  type DocumentCase,
  GOOD,
  INDEX,
  makeParts,
  NOWHERE,
  testDocuments,
  withConfig,
} from "./document_case.ts";
import { atPullPlace } from "./pull_place.ts";

const MANIFESTS: readonly DocumentCase[] = [
  { what: "no JSON", serve: () => "<html>", message: /^manifest: x%skinny\.manifest\.json/ },
  { what: "nothing", serve: () => "", message: /^manifest: x%skinny\.manifest\.json/ },
  {
    what: "half of it",
    serve: (parts) => JSON.stringify(parts).slice(0, 99),
    message: /^manifest: /,
  },
  { what: "a number", serve: () => "7", message: /manifest/ },
  { what: "null", serve: () => "null", message: /manifest/ },
  { what: "an array", serve: (parts) => [parts], message: /manifest/ },
  { what: "not UTF-8", serve: () => '{"layers": "\udcff"}', message: /manifest/ },
  {
    what: "arrays in one another a million times",
    serve: () => "[".repeat(1 << 20),
    message: /^manifest: /,
  },
  {
    what: "more than any manifest",
    serve: (parts) => ({ ...parts, annotations: { x: "y".repeat(5 << 20) } }),
    message: /^too large: manifest 1: more than 4194304 bytes/,
  },
  { what: "neither layers nor manifests", serve: () => ({}), message: /no key 'manifests'/ },
  {
    what: "layers and manifests",
    serve: (parts) => ({ ...parts, manifests: [] }),
    message: /both “manifests” and “layers”/,
  },
  {
    what: "an error",
    serve: () => ({ errors: [{ code: "X", message: "a\u001b[31mb" }] }),
    message: /^manifest list: error: a/,
  },
  {
    what: "schema version 3",
    serve: (parts) => ({ ...parts, schemaVersion: 3 }),
    message: /^unsupported manifest schema version: 3$/,
  },
  {
    what: "no schema version",
    serve: (parts) => ({ ...parts, schemaVersion: undefined }),
    message: /^unsupported manifest schema version: undefined$/,
  },
  {
    what: "no configuration",
    serve: (parts) => ({ ...parts, config: undefined }),
    message: /^manifest: .*: no key: config$/,
  },
  {
    what: "layers that are text",
    serve: (parts) => ({ ...parts, layers: "none" }),
    message: /layers/,
  },
  {
    what: "a layer without digest",
    serve: (parts) => ({ ...parts, layers: [{ size: 1 }] }),
    message: /^manifest: .*: no key: digest$/,
  },
  ...([
    ["no algorithm", "abc", /^no algorithm tag: abc$/],
    ["a path", "sha256:../../../outside/file", /^not a SHA-256 digest: "sha256:\.\.\/\.\./],
    ["upper case", `sha256:${"A".repeat(64)}`, /^not a SHA-256 digest/],
    ["another algorithm", `md5:${"a".repeat(32)}`, /^not a SHA-256 digest: "md5:/],
    ["a newline", `sha256:${"a".repeat(63)}\n`, /^not a SHA-256 digest/],
    ["a million letters", `sha256:${"a".repeat(1 << 20)}`, /^not a SHA-256 digest/],
  ] as const).map(([what, digest, message]): DocumentCase => ({
    what: `a layer's digest: ${what}`,
    serve: (parts) => ({ ...parts, layers: [{ digest, size: 1 }] }),
    message,
  })),
  ...[-1, 1.5, 1e300, "12", {}].map((size): DocumentCase => ({
    what: `a layer's size: ${JSON.stringify(size)}`,
    serve: (parts) => ({ ...parts, layers: [{ ...parts.layers[0], size }] }),
    message: /size/,
  })),
  {
    what: "a layer that is not there",
    serve: (parts) => ({ ...parts, layers: [{ digest: NOWHERE, size: 7 }] }),
    message: /404|not in registry/,
  },
  {
    what: "a layer of another size",
    serve: (parts) => ({ ...parts, layers: [{ ...parts.layers[0], size: 7 }] }),
    message: /^wrong size: sha256:[0-9a-f]{64}: 2048 bytes instead of 7$/,
  },
];

const CONFIGS: readonly DocumentCase[] = [
  {
    what: "a configuration that is not there",
    serve: (parts) => ({ ...parts, config: { digest: NOWHERE, size: 2 } }),
    message: /404|not in registry/,
  },
  {
    what: "a configuration of another size",
    serve: (parts) => ({ ...parts, config: { ...parts.config, size: 3 } }),
    message: /^wrong size: sha256:/,
  },
  {
    what: "a configuration of 8 GiB",
    serve: (parts) => ({ ...parts, config: { ...parts.config, size: 2 ** 33 } }),
    message: /^too large: sha256:[0-9a-f]{64}: 8589934592 bytes of metadata$/,
  },
  {
    what: "a configuration of 5 MiB, its size not told",
    serve: async (parts, registry) => {
      const digest = await registry.addBlob(new Uint8Array(5 << 20).fill(0x20));
      return { ...parts, config: { digest } };
    },
    message: /^too large: sha256:[0-9a-f]{64}/,
  },
  ...([
    ["no JSON", "<html>", /config/],
    ["an array", "[]", /config/],
    ["without config", '{"architecture":"amd64","os":"linux"}', /^config missing key 'config'$/],
    ["without architecture", JSON.stringify({ ...GOOD, architecture: undefined }), /architecture/],
    [
      "Env without =",
      JSON.stringify({ ...GOOD, config: { Env: ["A"] } }),
      /^can’t parse config: bad Env line: A$/,
    ],
    [
      "Env of numbers",
      JSON.stringify({ ...GOOD, config: { Env: [7] } }),
      /Env/,
    ],
    [
      "labels that are a list",
      JSON.stringify({ ...GOOD, config: { Labels: ["a"] } }),
      /Labels/,
    ],
    [
      "a history that is text",
      JSON.stringify({ ...GOOD, history: "long" }),
      /history/,
    ],
    ["too many braces", '{"config":'.repeat(200_000), /config/],
  ] as const).map(([what, text, message]): DocumentCase => ({
    what: `a configuration: ${what}`,
    serve: (parts, registry) => withConfig(parts, registry, text),
    message,
  })),
];

testDocuments([...MANIFESTS, ...CONFIGS]);

Deno.test(
  "pullImage() takes what contradicts nothing but habits",
  atPullPlace(async (place) => {
    const { registry, pull, read } = place;
    const parts = await makeParts(registry);
    const strange: readonly [string, unknown][] = [
      ["wrong media types", { ...parts, mediaType: INDEX }],
      ["no sizes", { ...parts, layers: [{ digest: parts.layers[0]!.digest }] }],
      ["a layer twice", { ...parts, layers: [parts.layers[0], parts.layers[0]] }],
      ["unknown keys", { ...parts, subject: 7, urls: ["http://example.invalid"] }],
    ];
    for (const [what, manifest] of strange) {
      await registry.addManifest("1", manifest);
      await pull("1");
      assert.equal(read("file"), "text", what);
    }
  }),
);

Deno.test(
  "pullImage() makes an image of Docker's first format",
  atPullPlace(async ({ registry, pull, read, log }) => {
    const below = await registry.addBlob(
      makeTar([{ name: "a", data: "1" }, { name: "b", data: "1" }]),
    );
    const above = await registry.addBlob(makeTar([{ name: "a", data: "2" }]));
    await registry.addManifest("1", {
      schemaVersion: 1,
      fsLayers: [{ blobSum: above }, { blobSum: below }],
      history: [],
    }, "application/vnd.docker.distribution.manifest.v1+prettyjws");
    await pull("1");
    assert.equal(read("a") + read("b"), "21");
    assert(log.lines.includes("no config found; initializing empty metadata"));
  }),
);
