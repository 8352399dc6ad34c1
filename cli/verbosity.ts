// How often -q and -v may be given (spec other-tools §8).

import { ChError } from "../lib/error.ts";

/** There are three levels in each direction. */
export const MOST = 3;

/** Throws a ChError if the option LONG was given more often than there are levels. */
export function checkRepetitions(long: "quiet" | "verbose", count: number): void {
  if (count > MOST) throw new ChError(`--${long} can be specified at most thrice`);
}
