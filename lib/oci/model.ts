// The documents an image consists of beside its layers (OCI image specification: descriptor.md,
// manifest.md, image-index.md, config.md; Docker's are alike). Types have the documents' own names, so
// that writing is JSON.stringify; reading checks every value used, for documents come from anywhere.

import { ChError } from "../error.ts";
import { displayOsString } from "../../ffi/os_string.ts";
import { type JsonValue, parseJson } from "./json_value.ts";
import { isIndexType, isLayerType, isManifestType, isSchema1Type } from "./media_type.ts";
import { DOCKER, OCI } from "./media_type.ts";

/** No document of a real image comes near; registries refuse larger ones, too. */
export const MAX_DOCUMENT = 4 * 2 ** 20;

/** What names a blob. */
export interface Descriptor {
  readonly mediaType: string;
  /** "sha256:" and 64 lower-case hexadecimal digits. */
  readonly digest: string;
  /** In bytes. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  /** In an index: what the manifest is for. */
  readonly platform?: Platform;
}

/** Names as Go has them: "amd64", "arm64"; "linux". */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
}

export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly config: Descriptor;
  /** The lowest first. */
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What a reference leads to: an image, or a choice of images. */
export type Document =
  | { readonly kind: "manifest"; readonly manifest: Manifest }
  | { readonly kind: "index"; readonly index: Index };

/** What an image's configuration says, but for its layers. Values that nobody here uses are kept. */
export interface ImageDetails {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  /** RFC 3339. */
  readonly created?: string;
  readonly config?: RunConfig;
  readonly history?: readonly HistoryEntry[];
  readonly [other: string]: unknown;
}

export interface ImageConfig extends ImageDetails {
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly string[] };
}

/** How a container of the image is to run. */
export interface RunConfig {
  readonly User?: string;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly Volumes?: Readonly<Record<string, unknown>>;
  readonly Shell?: readonly string[];
  readonly [other: string]: unknown;
}

export interface HistoryEntry {
  readonly empty_layer?: boolean;
  readonly [other: string]: unknown;
}

/**
 * BYTES as a manifest or an index. NAME is for messages. MEDIA_TYPE is what else says which it is (a
 * descriptor, a registry's Content-Type); the document must not contradict. Throws a ChError that names
 * the value that is wrong.
 */
export function parseDocument(bytes: Uint8Array, name: string, mediaType?: string): Document {
  checkLength(bytes, name);
  const root = parseJson(bytes, `bad manifest: ${displayOsString(name)}`);
  const kind = kindOf(root, mediaType);
  const version = root.member("schemaVersion");
  if (version.value !== 2) throw version.wrong(`${JSON.stringify(version.value)} is not supported`);
  return kind === "index"
    ? { kind, index: readIndex(root) }
    : { kind, manifest: readManifest(root) };
}

/** BYTES as an image's configuration, with what is null left out. Throws a ChError. */
export function parseImageConfig(bytes: Uint8Array, name: string): ImageConfig {
  checkLength(bytes, name);
  const root = parseJson(bytes, `bad image configuration: ${displayOsString(name)}`);
  const config = root.member("config"), history = root.member("history");
  const rootfs = root.member("rootfs");
  const diffIds = rootfs.member("diff_ids");
  return {
    ...withoutNull(root.object()),
    architecture: root.member("architecture").text(),
    os: root.member("os").text(),
    ...config.isPresent ? { config: readRunConfig(config) } : {},
    rootfs: { type: "layers", diff_ids: diffIds.isPresent ? diffIds.items().map(readDigest) : [] },
    ...history.isPresent ? { history: history.items().map(readHistory) } : {},
  };
}

/** Throws a ChError if the manifest is of something else than an image that can be unpacked. */
export function requireImage(manifest: Manifest, name: string): void {
  const strange = manifest.layers.find(({ mediaType }) => !isLayerType(mediaType));
  if (strange === undefined) return;
  throw new ChError(
    `not a container image: ${displayOsString(name)}: layer of type ${strange.mediaType}`,
  );
}

/** DOCUMENT as it is stored and transferred; the same value gives the same bytes. */
export function encodeDocument(document: Manifest | Index | ImageConfig): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(document));
}

export function isDigest(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

function checkLength(bytes: Uint8Array, name: string): void {
  if (bytes.length <= MAX_DOCUMENT) return;
  throw new ChError(`too large: ${displayOsString(name)}: ${bytes.length} bytes of metadata`);
}

/** One that could be read as either would be read differently by others (CVE-2021-41190). */
function kindOf(root: JsonValue, given: string | undefined): Document["kind"] {
  const own = root.member("mediaType");
  const types = [given, own.isPresent ? own.text() : undefined].filter((type) =>
    type !== undefined
  );
  if (types.some(isSchema1Type) || root.member("fsLayers").isPresent) {
    throw root.member("schemaVersion").wrong("Docker's first image format is not supported");
  }
  const hasLayers = root.member("layers").isPresent || root.member("config").isPresent;
  const hasManifests = root.member("manifests").isPresent;
  if (hasLayers && hasManifests) throw root.wrong("both “manifests” and “layers”");
  if (!hasLayers && !hasManifests) throw root.wrong("neither “manifests” nor “layers”");
  const kind = hasManifests ? "index" : "manifest";
  const contrary = types.find(hasManifests ? isManifestType : isIndexType);
  if (contrary !== undefined) throw root.wrong(`${kind} that is said to be ${contrary}`);
  return kind;
}

function readManifest(root: JsonValue): Manifest {
  const config = readDescriptor(root.member("config"));
  return {
    schemaVersion: 2,
    mediaType: findText(root.member("mediaType")) ??
      (config.mediaType === DOCKER.config ? DOCKER.manifest : OCI.manifest),
    config,
    layers: root.member("layers").items().map(readDescriptor),
    ...readAnnotations(root),
  };
}

function readIndex(root: JsonValue): Index {
  return {
    schemaVersion: 2,
    mediaType: findText(root.member("mediaType")) ?? OCI.index,
    manifests: root.member("manifests").items().map(readDescriptor),
    ...readAnnotations(root),
  };
}

function readDescriptor(value: JsonValue): Descriptor {
  const platform = value.member("platform");
  return {
    mediaType: value.member("mediaType").text(),
    digest: readDigest(value.member("digest")),
    size: value.member("size").count(),
    ...readAnnotations(value),
    ...platform.isPresent ? { platform: readPlatform(platform) } : {},
  };
}

function readPlatform(value: JsonValue): Platform {
  const variant = findText(value.member("variant"));
  return {
    architecture: value.member("architecture").text(),
    os: value.member("os").text(),
    ...variant ? { variant } : {},
  };
}

function readDigest(value: JsonValue): string {
  const text = value.text();
  if (isDigest(text)) return text;
  throw value.wrong(`not a SHA-256 digest: ${JSON.stringify(text.slice(0, 100))}`);
}

function readAnnotations(value: JsonValue) {
  const annotations = value.member("annotations");
  return annotations.isPresent ? { annotations: annotations.textMap() } : {};
}

function findText(value: JsonValue): string | undefined {
  return value.isPresent ? value.text() : undefined;
}

function readRunConfig(value: JsonValue): RunConfig {
  for (const key of ["User", "WorkingDir"]) findText(value.member(key));
  for (const key of ["Entrypoint", "Cmd", "Shell"]) {
    const list = value.member(key);
    if (list.isPresent) list.texts();
  }
  const env = value.member("Env"), labels = value.member("Labels");
  for (const entry of env.isPresent ? env.items() : []) {
    if (!/^[^=]+=/.test(entry.text())) {
      throw entry.wrong(`not NAME=VALUE: ${JSON.stringify(entry.text().slice(0, 100))}`);
    }
  }
  if (labels.isPresent) labels.textMap();
  if (value.member("Volumes").isPresent) value.member("Volumes").object();
  return withoutNull(value.object());
}

function readHistory(value: JsonValue): HistoryEntry {
  const { empty_layer: isEmpty, ...others } = withoutNull(value.object());
  if (isEmpty === undefined) return others;
  if (typeof isEmpty !== "boolean") throw value.member("empty_layer").wrong("not true or false");
  return { empty_layer: isEmpty, ...others };
}

/** Docker writes null for what is not there. */
function withoutNull(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}
