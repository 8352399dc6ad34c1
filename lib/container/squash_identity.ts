// Telling one SquashFS image from another, wherever the file is: by its superblock, which has the time
// it was made, and counts and sizes of all its parts. Images made by us have no time, for being the same
// each time; so a change that leaves every size as it was is not noticed.

import { cannotRead, orFail } from "./failure.ts";
import type { Host } from "./host.ts";

/** Offsets in the superblock (Documentation/filesystems/squashfs.rst): inodes and time; then how long the
 * whole is, and where its tables lie, which tells how long each part is compressed. */
const SHORT = [4, 8], LONG = [40, 48, 56, 64, 72, 80, 88];
const SUPERBLOCK = 96;

export function readSquashIdentity(file: string, host: Host): string {
  const bytes = orFail(cannotRead(file), () => host.readStart(file, SUPERBLOCK));
  const padded = new Uint8Array(SUPERBLOCK);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  return [
    ...SHORT.map((at) => view.getUint32(at, true).toString(16)),
    ...LONG.map((at) => view.getBigUint64(at, true).toString(16)),
  ].join(".");
}
