// The index that a tag of a registry means, with one image more: several platforms under one tag.

import type { Log } from "../log/log.ts";
import { DOCUMENT_TYPES } from "../oci/media_type.ts";
import type { Descriptor } from "../oci/model.ts";
import { addToIndex, emptyIndex, listDigests, listPlatforms } from "../oci/open_index.ts";
import { type OpenIndex, type PlatformImage, readOpenIndex } from "../oci/open_index.ts";
import type { Repository } from "./repository.ts";
import { readLimited } from "./response.ts";

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
  log.info(`index: ${listPlatforms(index).join(", ")}`);
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

/** What TAG is now, as an index. */
async function findIndex(
  repository: Repository,
  tag: string,
  image: Descriptor,
): Promise<OpenIndex> {
  // Only a plain "not there" may make a new index: else images of others would be lost.
  const response = await repository.request("GET", `manifests/${tag}`, {
    headers: { Accept: DOCUMENT_TYPES.join(", ") },
    expected: [200, 404],
  });
  const bytes = await readLimited(response, `manifest ${tag}`);
  if (response.status === 404) return emptyIndex(image);
  const type = response.headers.get("Content-Type")?.split(";")[0]?.trim();
  return await readOpenIndex(bytes, tag, type, image, async ({ digest }) => {
    const config = await repository.request("GET", `blobs/${digest}`, { expected: [200] });
    return await readLimited(config, digest);
  });
}
