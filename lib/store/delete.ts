// Deleting images by pattern (spec ch-image §14.3).

import { findEntry } from "../../ffi/tree.ts";
import type { Cache } from "../cache/cache.ts";
import { buryName } from "../cache/undelete.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { mangleReference, unmangleName } from "../reference/reference.ts";
import { matchName } from "./glob.ts";
import { IMAGES } from "./layout.ts";
import { placeOf } from "./lock.ts";
import { withdrawEntry } from "./replace.ts";
import { removeStubborn, Scratch } from "./scratch.ts";
import type { Store } from "./store.ts";
import { keepIfUsed } from "./used_trees.ts";

/** What follows an image's name in those of its build's other stages. */
const STAGE_SUFFIX = "_stage[0-9]*";

/**
 * Deletes what the patterns match, build stages included. A pattern without a match is an error, but
 * the others are deleted all the same; at the end it throws a ChError. With CACHE they can be undeleted.
 */
export function deleteImages(
  store: Store,
  patterns: readonly string[],
  log: Log,
  cache?: Cache,
): void {
  let unmatched = 0;
  for (const pattern of patterns) {
    const names = findImages(store, pattern);
    for (const name of names) {
      log.info(`deleting image: ${unmangleName(name)}`);
      if (cache !== undefined && cache.mode !== "disabled") buryName(cache, name);
      deleteImage(store, name);
    }
    if (names.length > 0) continue;
    log.error(`no matching image, can’t delete: ${pattern}`);
    unmatched++;
  }
  if (unmatched > 0) throw new ChError(`unable to delete ${unmatched} invalid image(s)`);
}

function findImages(store: Store, pattern: string): readonly string[] {
  const mangled = mangleReference(pattern);
  return store.listImages().map(mangleReference).filter((name) =>
    matchName(mangled, name) || matchName(mangled + STAGE_SUFFIX, name)
  );
}

/** Out of sight first, so that killed half-way it leaves no half image. */
function deleteImage(store: Store, name: string): void {
  using scratch = findScratch(store);
  using _swap = store.locks.lockBriefly(placeOf("image", name));
  // Another command may have deleted it meanwhile.
  if (findEntry(store.fd, `${IMAGES}/${name}`) === undefined) return;
  if (scratch === undefined) removeStubborn(store.fd, `${IMAGES}/${name}`);
  else {
    withdrawEntry(store.fd, `${IMAGES}/${name}`, `${scratch.name}/${name}`);
    keepIfUsed(store, `${scratch.name}/${name}`);
  }
}

/** Undefined if the disk is full, when deleting matters more than how. */
function findScratch(store: Store): Scratch | undefined {
  try {
    return new Scratch(store);
  } catch (error) {
    if (error instanceof Error && /No space left|quota exceeded/i.test(error.message)) {
      return undefined;
    }
    throw error;
  }
}
