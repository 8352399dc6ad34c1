// Interrupting long work on a stream between two of its items.

import { newBreather } from "./breather.ts";

/** How long signals may wait to be noticed, in milliseconds. */
const INTERVAL = 50;

/** ITEMS until SIGNAL is aborted; throws its reason then. */
export async function* stopWhenAborted<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, void> {
  const breathe = newBreather(INTERVAL);
  for await (const item of items) {
    await breathe();
    signal.throwIfAborted();
    yield item;
  }
}
