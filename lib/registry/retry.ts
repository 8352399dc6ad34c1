// Trying again what failed for reasons that pass.

import type { Log } from "../log/log.ts";

export interface RetrySettings {
  /** Milliseconds to wait before each further attempt. */
  readonly pauses: readonly number[];
  /** Milliseconds without a byte after which a connection is given up. */
  readonly patience: number;
}

export const DEFAULT_RETRIES: RetrySettings = {
  pauses: [500, 1000, 2000, 4000, 8000],
  patience: 60_000,
};

/** Statuses that a later request may not get. */
export const TRANSIENT: readonly number[] = [408, 500, 502, 503, 504];

export function isTransient(status: number): boolean {
  return TRANSIENT.includes(status);
}

/** Waits MILLISECONDS and up to a quarter more, so that many who failed together do not come together. */
export async function pause(
  milliseconds: number,
  why: string,
  log: Log,
  signal: AbortSignal | undefined,
): Promise<void> {
  log.verbose(`${why}; trying again in ${(milliseconds / 1000).toFixed(1)} s`);
  const time = milliseconds * (1 + Math.random() / 4);
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, time);
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
  });
}
