// Telling one SquashFS image from another, wherever the file is: by its superblock, which has the time
// it was made and sizes.

import { cannotRead, orFail } from "./failure.ts";
import type { Host } from "./host.ts";

/** Offsets in the superblock (Documentation/filesystems/squashfs.rst): inodes 4, time 8, bytes used 40. */
export function readSquashIdentity(file: string, host: Host): string {
  const bytes = orFail(cannotRead(file), () => host.readStart(file, 96));
  const padded = new Uint8Array(96);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  return [view.getUint32(8, true), view.getUint32(4, true), view.getBigUint64(40, true)].join(".");
}
