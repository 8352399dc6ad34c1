// An image in storage and the one that it was built on, as the build cache knows them: so that to tell what
// was built neither layers nor files need to be read.

import type { CachedEntry } from "../../ffi/cache_tree.ts";
import { findPlacedState } from "../cache/image_directory.ts";
import { findOrigin, listState } from "../cache/state_tree.ts";
import { type ImageReference, mangleReference } from "../reference/reference.ts";
import type { Store } from "../store/store.ts";
import type { BaseEntry, BaseTree } from "./base_tree.ts";
import type { PulledBase } from "./pulled_base.ts";
import { describeManifest } from "./store_pulled.ts";

export interface StoredTrees {
  /** With what every image in storage is given. */
  readonly base: BaseTree;
  /** The image itself when it came into storage. */
  readonly image: BaseTree;
}

/** Undefined if the cache does not know both. */
export async function findStoredTrees(
  store: Store,
  image: ImageReference,
  { manifestBytes }: PulledBase,
): Promise<StoredTrees | undefined> {
  const placed = findPlacedState(store, mangleReference(image.text));
  const pulled = findOrigin(store, describeManifest(new TextDecoder().decode(manifestBytes)));
  if (placed === undefined || pulled === undefined) return undefined;
  const base = await listState(store, pulled);
  const own = placed === pulled ? base : await listState(store, placed);
  if (base === undefined || own === undefined) return undefined;
  const tree = toTree(base);
  return { base: tree, image: own === base ? tree : toTree(own) };
}

function toTree(entries: readonly CachedEntry[]): BaseTree {
  const inodes = new Map<string, number>();
  const tree = new Map<string, BaseEntry>();
  for (const entry of entries) {
    const { path, mode, mtime, mtimeNsec, size, text } = entry;
    switch (entry.type) {
      case "directory":
        tree.set(path, { type: "directory", mode });
        break;
      case "file": {
        // As the cache tells files from others: docs/architecture.md, "The build cache".
        const key = [text || path, entry.digest, mode, size, mtime, mtimeNsec].join("\0");
        const inode = inodes.get(key) ?? inodes.size;
        inodes.set(key, inode);
        const digest = `sha256:${entry.digest}`;
        tree.set(path, { type: "file", mode, mtime, mtimeNsec, size, digest, inode });
        break;
      }
      case "symlink":
        tree.set(path, { type: "symlink", target: text });
        break;
      case "fifo":
        break; // no layer holds one
      default:
        entry.type satisfies never;
    }
  }
  return tree;
}
