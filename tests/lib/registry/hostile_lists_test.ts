// Lists of manifests that contradict the contract, themselves or what they name (spec ch-image §11.1).

import {
  AMD64,
  type DocumentCase,
  INDEX,
  NOWHERE,
  platform,
  testDocuments,
} from "./document_case.ts";

const LISTS: readonly DocumentCase[] = [
  {
    what: "a list that is text",
    serve: () => ({ manifests: "all" }),
    message: /manifests/,
    options: AMD64,
  },
  {
    what: "an architecture twice",
    serve: () => {
      const entry = { platform: platform("amd64"), digest: NOWHERE };
      return { manifests: [entry, entry] };
    },
    message: /^manifest list: duplicate architecture: amd64$/,
    options: AMD64,
  },
  {
    what: "an entry without digest",
    serve: () => ({ manifests: [{ platform: platform("amd64") }] }),
    message: /^manifest lists missing a required key$/,
    options: AMD64,
  },
  {
    what: "an entry whose digest is a path",
    serve: () => ({ manifests: [{ platform: platform("amd64"), digest: "sha256:../x" }] }),
    message: /^not a SHA-256 digest/,
    options: AMD64,
  },
  {
    what: "no architectures",
    serve: () => ({ manifests: [] }),
    message: /requested arch unavailable|no valid architectures/,
    options: AMD64,
  },
  {
    what: "only another system's",
    serve: () => ({ manifests: [{ platform: platform("amd64", "windows"), digest: NOWHERE }] }),
    message: /requested arch unavailable|no valid architectures/,
    options: AMD64,
  },
  {
    what: "an entry that is not there",
    serve: () => ({ manifests: [{ platform: platform("amd64"), digest: NOWHERE }] }),
    message: /unauthorized or not in registry/,
    options: AMD64,
  },
  {
    what: "a list that names a list",
    serve: async (_parts, registry) => {
      const inner = {
        schemaVersion: 2,
        manifests: [{ platform: platform("amd64"), digest: NOWHERE }],
      };
      const digest = await registry.addManifest("inner", inner, INDEX);
      return { schemaVersion: 2, manifests: [{ platform: platform("amd64"), digest }] };
    },
    message: /^manifest: x%[0-9a-f]{64}\.manifest\.json: no key: layers$/,
    options: AMD64,
  },
  {
    what: "a list that names other bytes than its digest says",
    serve: async (parts, registry) => {
      const digest = await registry.addManifest("inner", parts);
      registry.manifests.set(
        digest,
        registry.manifests.get("other") ?? {
          type: INDEX,
          bytes: new TextEncoder().encode(JSON.stringify({ ...parts, evil: true })),
        },
      );
      return { manifests: [{ platform: platform("amd64"), digest }] };
    },
    message: /^registry streamed response content is invalid: manifest sha256:/,
    options: AMD64,
  },
];

testDocuments(LISTS);
