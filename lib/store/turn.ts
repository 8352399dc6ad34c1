// Commands that make an image of the same name come one after another.

import type { Log } from "../log/log.ts";
import { type ImageReference, mangleReference } from "../reference/reference.ts";
import { placeOf, type StoreLocks } from "./lock.ts";

export interface TurnOptions {
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

/** Waits until nobody else makes an image of that name; others wait until what is returned is disposed. */
export async function takeTurn(
  { locks }: { readonly locks: StoreLocks },
  reference: ImageReference,
  { log, signal }: TurnOptions,
): Promise<Disposable> {
  return await locks.lock(placeOf("build", mangleReference(reference.text)), {
    signal,
    onWait: () => log.info(`waiting for another build of ${reference.text} ...`),
  });
}
