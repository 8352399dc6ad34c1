// Interrupting a conversion between two entries, or two chunks.

/** How long signals may wait to be noticed, in milliseconds. */
const INTERVAL = 50;

/** ITEMS until SIGNAL is aborted; throws its reason then. */
export async function* stopWhenAborted<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, void> {
  let last = performance.now();
  for await (const item of items) {
    // Work that never waits would keep the event loop, which signals arrive through, from running.
    if (performance.now() - last > INTERVAL) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      last = performance.now();
    }
    signal.throwIfAborted();
    yield item;
  }
}
