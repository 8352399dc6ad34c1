// The directory of an image is brought to a state: a tree that has just grown takes its place, or one is
// made for it. What was there until then may serve the next build.

import { type ImageReference, mangleReference } from "../reference/reference.ts";
import { Scratch } from "../store/scratch.ts";
import type { ImageTransaction } from "../store/transaction.ts";
import type { Cache } from "./cache.ts";
import { countSteps } from "./history.ts";
import { findPlaced, findPlacedState, prepareToPlace } from "./image_directory.ts";
import { keepSpareTree } from "./spare_trees.ts";
import type { State } from "./state_store.ts";

/** IMAGE: the tree that grew, if one did. */
export async function finishImage(
  cache: Cache,
  reference: ImageReference,
  state: State,
  image: ImageTransaction | undefined,
): Promise<void> {
  const { store, options: { log } } = cache;
  const name = mangleReference(reference.text);
  if (image !== undefined) return takePlace(cache, name, state, image);
  const placed = findPlacedState(store, name);
  if (placed === state.name) return;
  log.info(
    placed === undefined ? "copying image from cache ..." : "updating existing image ...",
  );
  using fresh = store.newImage(reference);
  await cache.checkOut(state, fresh, "shared");
  takePlace(cache, name, state, fresh);
}

function takePlace(
  { store, options: { xattrs } }: Cache,
  name: string,
  state: State,
  image: ImageTransaction,
): void {
  using scratch = new Scratch(store);
  const content = { state: state.name, xattrs };
  const place = prepareToPlace(store, scratch, name, content, image.rootPath);
  let isPlaced = false;
  image.commit((replaced) => {
    const old = findPlaced(store, name, `${store.path}/${replaced}`);
    // The record first: it must not tell of a directory that is on its way to somewhere else.
    place();
    isPlaced = true;
    if (old === undefined || countSteps(store, old.state, state.name) === undefined) return;
    keepSpareTree(store, replaced, old);
  });
  if (!isPlaced) place();
}
