// What is mounted within a directory (proc(5), mountinfo).

import { decodeOsString } from "../../ffi/os_string.ts";

/** Where something is mounted: PATH itself, which is canonical, or below it; undefined if nothing is. */
export function findMountBelow(path: string): string | undefined {
  const isWithin = (mount: string) => mount === path || mount.startsWith(`${path}/`);
  return readMountPoints().find(isWithin);
}

/** The fifth field of each line; blanks, newlines and backslashes are three octal digits. */
function readMountPoints(): readonly string[] {
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync("/proc/self/mountinfo");
  } catch (error) {
    // Without /proc: removing stops at a mount all the same.
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return decodeOsString(bytes).split("\n").flatMap((line) => line.split(" ")[4] ?? [])
    .map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)))
    );
}
