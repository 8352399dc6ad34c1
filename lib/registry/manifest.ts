// What registries serve under a reference, in all forms that are about: lists and indexes, manifests of
// Docker (schema 1 and 2) and of OCI (spec ch-image §11.1). Bytes in, values out.

import { ChError } from "../error.ts";
import { JsonValue, parseJson } from "../oci/json_value.ts";
import { isDigest } from "../oci/model.ts";
import { cleanText } from "./response.ts";

/** A choice of manifests, by architecture. */
export type Architectures = ReadonlyMap<string, string>;

/** A blob as a manifest names it. */
export interface BlobName {
  /** "sha256:…" */
  readonly digest: string;
  /** Schema 1 does not tell. */
  readonly size: number | undefined;
  readonly mediaType: string | undefined;
}

export interface PulledManifest {
  readonly schemaVersion: 1 | 2;
  /** Undefined in schema 1. */
  readonly config: BlobName | undefined;
  /** The lowest first. */
  readonly layers: readonly BlobName[];
}

export type PulledDocument =
  | { readonly kind: "list"; readonly architectures: Architectures }
  | { readonly kind: "manifest"; readonly manifest: PulledManifest }
  /** The registry says that there is no such thing. */
  | { readonly kind: "absent" };

/** FILE is for messages. Throws a ChError that names what is missing or wrong. */
export function parsePulled(bytes: Uint8Array, file: string): PulledDocument {
  const root = parseJson(bytes, `manifest: ${file}`);
  if (root.member("manifests").isPresent && root.member("layers").isPresent) {
    // Others would take it for the other kind (CVE-2021-41190).
    throw new ChError(`manifest: ${file}: both “manifests” and “layers”`);
  }
  if (root.member("manifests").isPresent) {
    return { kind: "list", architectures: readList(root.member("manifests")) };
  }
  if (root.member("layers").isPresent || root.member("fsLayers").isPresent) {
    return { kind: "manifest", manifest: readManifest(root, file) };
  }
  const errors = root.member("errors");
  if (!errors.isPresent) throw new ChError("manifest list has no key 'manifests'");
  const first = errors.items()[0];
  if (first?.member("code").value === "MANIFEST_UNKNOWN") return { kind: "absent" };
  throw new ChError(`manifest list: error: ${cleanText(first?.member("message").value)}`);
}

function readList(manifests: JsonValue): Architectures {
  const found = new Map<string, string>();
  for (const entry of manifests.items()) {
    const platform = entry.member("platform");
    // What belongs to another image (signatures, attestations) has none, or an unknown one.
    if (!platform.isPresent) continue;
    const os = platform.member("os"), name = platform.member("architecture");
    if (!os.isPresent || !name.isPresent || !entry.member("digest").isPresent) {
      throw new ChError("manifest lists missing a required key");
    }
    if (os.text() !== "linux") continue;
    const variant = platform.member("variant");
    const hasVariant = variant.isPresent && variant.text() !== "";
    const architecture = hasVariant ? `${name.text()}/${variant.text()}` : name.text();
    if (found.has(architecture)) {
      throw new ChError(`manifest list: duplicate architecture: ${architecture}`);
    }
    found.set(architecture, readDigest(entry.member("digest").text()));
  }
  return found;
}

function readManifest(root: JsonValue, file: string): PulledManifest {
  const version = root.member("schemaVersion").value;
  switch (version) {
    case 1: {
      const layers = requireKey(root, "fsLayers", file).items().map((layer) => ({
        digest: readDigest(requireKey(layer, "blobSum", file).text()),
        size: undefined,
        mediaType: undefined,
      }));
      return { schemaVersion: 1, config: undefined, layers: layers.reverse() };
    }
    case 2: {
      const config = readBlob(requireKey(root, "config", file), file);
      const layers = requireKey(root, "layers", file).items().map((layer) => readBlob(layer, file));
      return { schemaVersion: 2, config, layers };
    }
    default:
      throw new ChError(`unsupported manifest schema version: ${JSON.stringify(version)}`);
  }
}

function readBlob(value: JsonValue, file: string): BlobName {
  const size = value.member("size"), mediaType = value.member("mediaType");
  return {
    digest: readDigest(requireKey(value, "digest", file).text()),
    size: size.isPresent ? size.count() : undefined,
    mediaType: mediaType.isPresent ? mediaType.text() : undefined,
  };
}

function requireKey(value: JsonValue, key: string, file: string): JsonValue {
  const found = value.member(key);
  if (found.isPresent) return found;
  throw new ChError(`manifest: ${file}: no key: ${key}`);
}

/** It becomes part of file names and URLs, and is what content is verified with. */
export function readDigest(text: string): string {
  if (isDigest(text)) return text;
  if (!text.includes(":")) throw new ChError(`no algorithm tag: ${text}`);
  throw new ChError(`not a SHA-256 digest: ${JSON.stringify(text.slice(0, 100))}`);
}

export function hexOf(digest: string): string {
  return digest.slice("sha256:".length);
}
