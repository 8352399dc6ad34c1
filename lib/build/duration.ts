// Lengths of time as Go writes them, e.g. `1m30s`.

import { ChError } from "../error.ts";

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  "µs": 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** TEXT in nanoseconds. WHAT is for the ChError if it is none. */
export function parseDuration(what: string, text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) {
    if (text === "0") return 0;
    throw new ChError(`${what}: not a duration: ${text}`, { hint: "e.g. 30s, 1m30s, 500ms" });
  }
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit!]!, 0);
}
