// Room for the rest of the program while much is done that never waits: signals, timers and connections are
// served by the event loop, which otherwise does not get to run.

/** What to wait for from time to time: it lets the event loop run if it has not for MILLISECONDS. */
export function newBreather(milliseconds: number): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < milliseconds) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        last = performance.now();
        resolve();
      })
    );
  };
}
