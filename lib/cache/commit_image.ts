// An image that came from outside, complete in its transaction, gets its name and its place in the cache.

import type { ImageTransaction } from "../store/transaction.ts";
import type { Cache } from "./cache.ts";
import type { NewImage, State } from "./state_store.ts";

/**
 * Without a cache, or if it is disabled, the image only takes its name; else its state is returned. A
 * result that is known already is found by `cache.lookUp(cache.root, key, reference)`, and becomes the
 * image by `cache.finish`.
 */
export async function commitImage(
  cache: Cache | undefined,
  image: ImageTransaction,
  what: NewImage,
): Promise<State | undefined> {
  if (cache === undefined || cache.mode === "disabled") {
    image.commit();
    return undefined;
  }
  const state = await cache.commitImage(image.rootFd, image.rootPath, what);
  await cache.finish(image.reference, state, image);
  return state;
}
