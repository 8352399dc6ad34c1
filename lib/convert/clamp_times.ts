// Times of files for outputs that are to be the same each time they are made
// (https://reproducible-builds.org/specs/source-date-epoch/).

import type { Source } from "../layer/entry.ts";

/** SOURCE, with EPOCH (seconds since 1970) as the time of what is newer. Undefined: as it is. */
export function clampTimes(source: Source, epoch: number | undefined): Source {
  return epoch === undefined ? source : clamp(source, epoch);
}

async function* clamp(source: Source, epoch: number): Source {
  for await (const entry of source) {
    yield entry.mtime < epoch ? entry : { ...entry, mtime: epoch, mtimeNsec: 0 };
  }
}
