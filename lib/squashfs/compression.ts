// How SquashFS images can be compressed by us.

import type { LevelRange } from "../layer/compress.ts";

export type SquashfsCompression = "gzip" | "xz" | "lz4" | "lzo" | "zstd";

/** Undefined: none to choose from. */
export const SQUASHFS_LEVELS: Readonly<Record<SquashfsCompression, LevelRange | undefined>> = {
  gzip: { lowest: 1, highest: 9, usual: 9 },
  lz4: undefined,
  lzo: undefined,
  xz: { lowest: 1, highest: 9, usual: 6 },
  // Images as large as with gzip -9, in half of the time mksquashfs takes for that. libsquashfs' default
  // of 15 saves another 5 % at ten times the cost.
  zstd: { lowest: 1, highest: 22, usual: 6 },
};
