// What was built on the layers that an image was pulled with: by the build cache if that knows, which
// takes a look at each file's metadata, and else by reading the layers and the files.

import { decompress, newDecompressionRing, openFileChunks } from "../layer/codec.ts";
import { readTar } from "../layer/tar_reader.ts";
import type { Source } from "../layer/entry.ts";
import { IMAGE_SKELETON } from "../layer/image_skeleton.ts";
import type { ImageReference } from "../reference/reference.ts";
import { Downloads } from "../store/downloads.ts";
import type { Store } from "../store/store.ts";
import { readBaseTree } from "./base_tree.ts";
import { type Changes, findChanges, listAdded } from "./built_changes.ts";
import { layerFileName } from "./image_blobs.ts";
import type { PulledBase } from "./pulled_base.ts";
import { findStoredTrees } from "./stored_trees.ts";

export interface BuiltImage {
  readonly rootFd: number;
  /** Its name in storage, if the build cache may be asked about it. */
  readonly reference: ImageReference | undefined;
}

/** OPEN gives the image's entries. The layers of BASE are in STORE's download cache. Throws a ChError. */
export async function findBuilt(
  { rootFd, reference }: BuiltImage,
  open: () => Source,
  base: PulledBase,
  store: Store,
): Promise<Changes> {
  const added = listAdded(Object.keys(base.config.config?.Volumes ?? {}));
  const trees = reference && await findStoredTrees(store, reference, base);
  if (trees !== undefined) {
    const changes = await findChanges({ ...trees, added }, open(), rootFd);
    // Whether that is gone from the layers or was only ever added, they alone can tell.
    const isDoubtful = changes.removed.some((path) =>
      added.has(path) || IMAGE_SKELETON.files.includes(path)
    );
    if (!isDoubtful) return changes;
  }
  const tree = await readBaseTree(openLayers(store, base));
  return await findChanges({ base: tree, added }, open(), rootFd);
}

function openLayers(store: Store, { manifest: { layers } }: PulledBase): Source[] {
  const downloads = new Downloads(store.path);
  const ring = newDecompressionRing();
  return layers.map((layer) => {
    const path = downloads.pathOf(layerFileName(layer));
    return readTar(decompress(openFileChunks(path), path, ring), path);
  });
}
