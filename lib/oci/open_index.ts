// Images for several platforms under one name: an index (a "manifest list", says Docker), which gains or
// replaces one image at a time and keeps the others (OCI image specification, image-index.md).

import { digestBytes } from "./digest.ts";
import { parseJson } from "./json_value.ts";
import { DOCKER, OCI } from "./media_type.ts";
import { type Descriptor, parseDocument, parseImageConfig, type Platform } from "./model.ts";
import { formatPlatform } from "./platform.ts";

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

/** An index of the kind that IMAGE goes into. */
export function emptyIndex({ mediaType }: Pick<Descriptor, "mediaType">): OpenIndex {
  const type = mediaType === DOCKER.manifest ? DOCKER.index : OCI.index;
  return { schemaVersion: 2, mediaType: type, manifests: [] };
}

/** What the document in BYTES is as an index that IMAGE can go into: itself, or one of the image that it is,
 * whose configuration READ_CONFIG gets. Throws a ChError if it is neither; NAME is for messages. */
export async function readOpenIndex(
  bytes: Uint8Array,
  name: string,
  mediaType: string | undefined,
  image: Pick<Descriptor, "mediaType">,
  readConfig: (config: Descriptor) => Promise<Uint8Array>,
): Promise<OpenIndex> {
  const document = parseDocument(bytes, name, mediaType);
  switch (document.kind) {
    case "index": {
      // As others have written it, with keys that we do not know.
      const values = parseJson(bytes, name).object();
      return { ...values, mediaType: document.index.mediaType } as OpenIndex;
    }
    case "manifest": {
      const { config, mediaType } = document.manifest;
      const platform = platformOf(parseImageConfig(await readConfig(config), config.digest));
      const digest = await digestBytes(bytes);
      return {
        ...emptyIndex(image),
        manifests: [{ mediaType, digest, size: bytes.length, platform }],
      };
    }
    default:
      return document satisfies never;
  }
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

/** What INDEX has images for. */
export function listPlatforms({ manifests }: OpenIndex): readonly string[] {
  return manifests.flatMap(({ platform }) =>
    platform === undefined ? [] : [formatPlatform(platform)]
  );
}

/** Of the images in INDEX that are for the platform of IMAGE. */
export function listDigests({ manifests }: OpenIndex, image: PlatformImage): readonly string[] {
  return manifests.filter(({ platform }) => isSame(platform, image.platform))
    .map(({ digest }) => digest);
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
