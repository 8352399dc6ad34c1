// Interrupting a conversion between two entries.

import type { Source } from "../layer/entry.ts";

/** How long signals may wait to be noticed, in milliseconds. */
const INTERVAL = 50;

/** SOURCE until SIGNAL is aborted; throws its reason then. */
export async function* stopWhenAborted(source: Source, signal: AbortSignal): Source {
  let last = performance.now();
  for await (const entry of source) {
    // Work that never waits would keep the event loop, which signals arrive through, from running.
    if (performance.now() - last > INTERVAL) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      last = performance.now();
    }
    signal.throwIfAborted();
    yield entry;
  }
}
