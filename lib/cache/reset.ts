// Emptying the build cache (spec build-cache §8.4).

import type { Log } from "../log/log.ts";
import { CACHE, IMAGES, LARGE_FILES } from "../store/layout.ts";
import { CACHE_PLACE } from "../store/lock.ts";
import { replaceEntry, withdrawEntry } from "../store/replace.ts";
import { Scratch } from "../store/scratch.ts";
import type { Store } from "../store/store.ts";
import { mangleReference } from "../reference/reference.ts";
import { makeDirectory } from "../../ffi/tree_change.ts";
import { findPlacedState } from "./image_directory.ts";
import { initializeCache } from "./open.ts";

/** Deletes the cache with all its names, and the images whose directories are of it. */
export async function resetCache(
  store: Store,
  { log, signal }: { readonly log: Log; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  if (initializeCache(store, log)) {
    log.warning("not resetting brand-new cache");
    return;
  }
  using _removing = await store.locks.lock(CACHE_PLACE, { signal });
  log.info("deleting build cache");
  using scratch = new Scratch(store);
  const images = store.listImages().map(mangleReference)
    .filter((name) => findPlacedState(store, name) !== undefined);
  // The cache first: images without it are whole, what the cache says of images without them is not.
  for (const directory of [CACHE, LARGE_FILES]) {
    const empty = `${scratch.name}/${directory}`;
    makeDirectory(store.fd, empty, 0o755);
    replaceEntry(store.fd, empty, directory, `${empty}.old`);
  }
  for (const name of images) {
    withdrawEntry(store.fd, `${IMAGES}/${name}`, `${scratch.name}/image.${name}`);
  }
  initializeCache(store, log);
}
