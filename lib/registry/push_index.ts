// Images for several platforms under one tag: an index (a "manifest list", says Docker), which gains or
// replaces one image at a time and keeps the others (OCI image specification, image-index.md).

import type { Log } from "../log/log.ts";
import { digestBytes } from "../oci/digest.ts";
import { parseJson } from "../oci/json_value.ts";
import { DOCKER, DOCUMENT_TYPES, OCI } from "../oci/media_type.ts";
import {
  type Descriptor,
  type Manifest,
  parseDocument,
  parseImageConfig,
  type Platform,
} from "../oci/model.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Repository } from "./repository.ts";
import { readLimited } from "./response.ts";

/** What buildx calls the digest of the image that an attestation is about. */
const ABOUT = "vnd.docker.reference.digest";

/** An index with what others have put into it, known to us or not. */
export interface OpenIndex {
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly [other: string]: unknown;
}

/** An image for one of an index's platforms. */
export type PlatformImage = Descriptor & { readonly platform: Platform };

export interface ExtendedIndex {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** Digests of what it had for the platform before. */
  readonly replaced: readonly string[];
}

/** The index that TAG is to be, with IMAGE in it. Throws a ChError if what is there is neither an index nor
 * an image. */
export async function extendIndex(
  repository: Repository,
  tag: string,
  image: PlatformImage,
  log: Log,
): Promise<ExtendedIndex> {
  const before = await findIndex(repository, tag, image);
  const index = addToIndex(before, image);
  const platforms = index.manifests.map(({ platform }) => platform && formatPlatform(platform));
  log.info(`index: ${platforms.filter((name) => name !== undefined).join(", ")}`);
  const { mediaType } = index;
  const bytes = new TextEncoder().encode(JSON.stringify(index));
  return { mediaType, bytes, replaced: listDigests(before, image) };
}

/** Whether TAG is still an index with IMAGE, or one for its platform that came later than it and those
 * REPLACED by it. */
export async function isInIndex(
  repository: Repository,
  tag: string,
  image: PlatformImage,
  replaced: readonly string[],
): Promise<boolean> {
  const index = await findIndex(repository, tag, image);
  return listDigests(index, image).some((digest) =>
    digest === image.digest || !replaced.includes(digest)
  );
}

function listDigests({ manifests }: OpenIndex, image: PlatformImage): readonly string[] {
  return manifests.filter(({ platform }) => isSame(platform, image.platform))
    .map(({ digest }) => digest);
}

/** INDEX with IMAGE, in the place of that for the same platform if there is one. */
export function addToIndex(
  index: OpenIndex,
  image: PlatformImage,
): OpenIndex {
  const replaced = index.manifests.filter(({ platform }) => isSame(platform, image.platform));
  const gone = replaced.map(({ digest }) => digest).filter((digest) => digest !== image.digest);
  const kept = index.manifests.filter((entry) =>
    entry === replaced[0] || (!replaced.includes(entry) && !isAbout(entry, gone))
  );
  const manifests = replaced.length === 0
    ? [...kept, image]
    : kept.map((entry) => entry === replaced[0] ? image : entry);
  return { ...index, manifests };
}

/** What TAG is now, as an index. */
async function findIndex(
  repository: Repository,
  tag: string,
  image: Descriptor,
): Promise<OpenIndex> {
  const mediaType = image.mediaType === DOCKER.manifest ? DOCKER.index : OCI.index;
  const empty = { schemaVersion: 2, mediaType, manifests: [] };
  // Only a plain "not there" may make a new index: else images of others would be lost.
  const response = await repository.request("GET", `manifests/${tag}`, {
    headers: { Accept: DOCUMENT_TYPES.join(", ") },
    expected: [200, 404],
  });
  const bytes = await readLimited(response, `manifest ${tag}`);
  if (response.status === 404) return empty;
  const type = response.headers.get("Content-Type")?.split(";")[0]?.trim();
  const document = parseDocument(bytes, tag, type);
  switch (document.kind) {
    case "index": {
      // As others have written it, with keys that we do not know.
      const values = parseJson(bytes, tag).object();
      return { ...values, mediaType: document.index.mediaType } as OpenIndex;
    }
    case "manifest": {
      const { manifest } = document;
      const platform = await readPlatform(repository, manifest);
      const digest = await digestBytes(bytes);
      const entry = { mediaType: manifest.mediaType, digest, size: bytes.length, platform };
      return { ...empty, manifests: [entry] };
    }
    default:
      return document satisfies never;
  }
}

/** What the image that had the tag is for: its configuration tells. */
async function readPlatform(repository: Repository, { config }: Manifest): Promise<Platform> {
  const response = await repository.request("GET", `blobs/${config.digest}`, { expected: [200] });
  const bytes = await readLimited(response, config.digest);
  return platformOf(parseImageConfig(bytes, config.digest));
}

export function platformOf({ os, architecture, variant }: Platform): Platform {
  return { architecture, os, ...variant && { variant } };
}

function isSame(platform: Platform | undefined, other: Platform): boolean {
  return platform !== undefined && nameOf(platform) === nameOf(other);
}

/** arm64 is arm64/v8 as long as nobody says otherwise. */
function nameOf(platform: Platform): string {
  const name = formatPlatform(platformOf(platform));
  return name === "linux/arm64" ? "linux/arm64/v8" : name;
}

/** Whether it is an attestation of one of DIGESTS. */
function isAbout({ annotations }: Descriptor, digests: readonly string[]): boolean {
  return digests.includes(annotations?.[ABOUT] ?? "");
}
