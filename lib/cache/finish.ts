// The directory of an image is brought to a state: a tree that has just grown takes its place, or what is
// there is changed by the difference, or a new one is made.

import { openRoot } from "../../ffi/tree.ts";
import { type ImageReference, mangleReference } from "../reference/reference.ts";
import { IMAGES, SWITCHED } from "../store/layout.ts";
import { placeOf } from "../store/lock.ts";
import { withdrawEntry } from "../store/replace.ts";
import { makeDirectory, renameEntry } from "../../ffi/tree_change.ts";
import { Scratch } from "../store/scratch.ts";
import type { ImageTransaction } from "../store/transaction.ts";
import type { Cache } from "./cache.ts";
import { findPlacedState, prepareToPlace } from "./image_directory.ts";
import { DIRECTORIES_AT } from "./layout.ts";
import { removeRecord } from "./names.ts";
import { findState } from "./state_files.ts";
import type { State } from "./state_store.ts";

/** IMAGE: the tree that grew, if one did. */
export async function finishImage(
  cache: Cache,
  reference: ImageReference,
  state: State,
  image: ImageTransaction | undefined,
): Promise<void> {
  const { store } = cache;
  const name = mangleReference(reference.text);
  if (image !== undefined) return takePlace(cache, name, state, image);
  const placed = findPlacedState(store, name);
  if (placed === state.name) return;
  const from = placed === undefined ? undefined : findState(store, placed);
  if (from !== undefined) return await switchImage(cache, name, from, state);
  cache.options.log.info("copying image from cache ...");
  using fresh = store.newImage(reference);
  await cache.checkOut(state, fresh, "shared");
  takePlace(cache, name, state, fresh);
}

function takePlace({ store }: Cache, name: string, state: State, image: ImageTransaction): void {
  using scratch = new Scratch(store);
  const place = prepareToPlace(store, scratch, name, state.name, image.rootPath);
  image.commit();
  place();
}

/**
 * Changes img/NAME from the state FROM by what differs. It is out of sight meanwhile, so that nobody sees
 * it half changed; after a command killed in between, the next one restores it (restore_switched.ts).
 */
async function switchImage(
  cache: Cache,
  name: string,
  from: State,
  state: State,
): Promise<void> {
  const { store, options: { log, signal } } = cache;
  log.info("updating existing image ...");
  using scratch = new Scratch(store);
  using _swap = await store.locks.lock(placeOf("image", name), { signal });
  const place = prepareToPlace(store, scratch, name, state.name);
  removeRecord(store, DIRECTORIES_AT, name);
  makeDirectory(store.fd, `${scratch.name}/${SWITCHED}`, 0o700);
  const aside = `${scratch.name}/${SWITCHED}/${name}`;
  withdrawEntry(store.fd, `${IMAGES}/${name}`, aside);
  try {
    using root = openRoot(`${store.path}/${aside}`);
    await cache.checkOut(state, { rootFd: root.fd }, "shared", from);
  } catch (error) {
    // As much of it as there is; a build that needs it makes it anew.
    renameEntry(store.fd, aside, store.fd, `${IMAGES}/${name}`);
    throw error;
  }
  renameEntry(store.fd, aside, store.fd, `${IMAGES}/${name}`);
  place();
}
