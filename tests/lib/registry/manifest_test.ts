import assert from "node:assert/strict";
import { parsePulled } from "../../../lib/registry/manifest.ts";

const A = `sha256:${"a".repeat(64)}`,
  B = `sha256:${"b".repeat(64)}`,
  C = `sha256:${"c".repeat(64)}`;

function parse(value: unknown) {
  return parsePulled(new TextEncoder().encode(JSON.stringify(value)), "FILE");
}

const entry = (architecture: string, digest: string, more = {}) => ({
  digest,
  platform: { os: "linux", architecture, ...more },
});

const LISTS: readonly [string, unknown[], [string, string][]][] = [
  ["architectures and variants", [entry("amd64", A), entry("arm", B, { variant: "v7" })], [
    ["amd64", A],
    ["arm/v7", B],
  ]],
  ["an empty variant is none", [entry("arm64", A, { variant: "" })], [["arm64", A]]],
  ["other systems", [entry("amd64", A, { os: "windows" }), entry("amd64", B)], [["amd64", B]]],
  ["attestations", [entry("unknown", A, { os: "unknown" }), entry("amd64", B)], [["amd64", B]]],
  ["what has no platform", [{ digest: A }, entry("amd64", B)], [["amd64", B]]],
  ["nothing", [], []],
];

for (const [what, manifests, expected] of LISTS) {
  Deno.test(`parsePulled() reads a list: ${what}`, () => {
    const document = parse({ schemaVersion: 2, manifests });
    assert(document.kind === "list");
    assert.deepEqual([...document.architectures], expected);
  });
}

Deno.test("parsePulled() reads manifests of schema 2, with sizes or without", () => {
  assert.deepEqual(
    parse({
      schemaVersion: 2,
      config: { digest: A, size: 7, mediaType: "c" },
      layers: [{ digest: B }, { digest: C, size: 0 }],
    }),
    {
      kind: "manifest",
      manifest: {
        schemaVersion: 2,
        config: { digest: A, size: 7, mediaType: "c" },
        layers: [
          { digest: B, size: undefined, mediaType: undefined },
          { digest: C, size: 0, mediaType: undefined },
        ],
      },
    },
  );
});

Deno.test("parsePulled() turns the layers of schema 1 round, the lowest first", () => {
  const document = parse({ schemaVersion: 1, fsLayers: [{ blobSum: A }, { blobSum: B }] });
  assert(document.kind === "manifest");
  assert.equal(document.manifest.config, undefined);
  assert.deepEqual(document.manifest.layers.map(({ digest }) => digest), [B, A]);
});

Deno.test("parsePulled() knows what registries say of an image that is not there", () => {
  assert.deepEqual(parse({ errors: [{ code: "MANIFEST_UNKNOWN" }] }), { kind: "absent" });
});

const layers = [{ digest: A, size: 1 }], config = { digest: B, size: 1 };

const REFUSED: readonly [string, unknown, RegExp][] = [
  ["neither", {}, /^manifest list has no key 'manifests'$/],
  ["both", { schemaVersion: 2, manifests: [], layers }, /both “manifests” and “layers”/],
  [
    "another error",
    { errors: [{ code: "DENIED", message: "go\u001baway" }] },
    /^manifest list: error: go away$/,
  ],
  [
    "twice",
    { manifests: [entry("amd64", A), entry("amd64", B)] },
    /^manifest list: duplicate architecture: amd64$/,
  ],
  [
    "no os",
    { manifests: [{ digest: A, platform: { architecture: "x" } }] },
    /^manifest lists missing a required key$/,
  ],
  [
    "no digest in a list",
    { manifests: [{ platform: { os: "linux", architecture: "x" } }] },
    /missing a required key$/,
  ],
  ["schema 3", { schemaVersion: 3, config, layers }, /^unsupported manifest schema version: 3$/],
  [
    "schema as text",
    { schemaVersion: "2", config, layers },
    /^unsupported manifest schema version: "2"$/,
  ],
  ["no config", { schemaVersion: 2, layers }, /^manifest: FILE: no key: config$/],
  ["no digest", { schemaVersion: 2, config: {}, layers }, /^manifest: FILE: no key: digest$/],
  ["no blobSum", { schemaVersion: 1, fsLayers: [{}] }, /^manifest: FILE: no key: blobSum$/],
  [
    "no algorithm",
    { schemaVersion: 2, config: { digest: "abc" }, layers },
    /^no algorithm tag: abc$/,
  ],
  [
    "another algorithm",
    { schemaVersion: 2, config: { digest: "md5:abc" }, layers },
    /^not a SHA-256 digest: "md5:abc"$/,
  ],
  [
    "a negative size",
    { schemaVersion: 2, config: { digest: A, size: -1 }, layers },
    /size: not a whole number/,
  ],
];

for (const [what, value, message] of REFUSED) {
  Deno.test(`parsePulled() refuses: ${what}`, () => {
    assert.throws(() => parse(value), { message });
  });
}
