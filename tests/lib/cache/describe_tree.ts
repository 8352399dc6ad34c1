// A tree in words, all of it that a state must restore.

import { listDirectory, openDirectory, openFile, openRoot, readLinkAt } from "../../../ffi/tree.ts";
import { displayOsString } from "../../../ffi/os_string.ts";
import { readWhole } from "../../../ffi/descriptor.ts";
import { sha256 } from "../../../ffi/sha256.ts";
import { toHex } from "../../../lib/cache/state_id.ts";

/** A line for each entry: path, type, mode, time, content, and the first name of the same file. */
export function describeTree(path: string): string[] {
  const lines: string[] = [];
  const firstNames = new Map<bigint, string>();
  using root = openRoot(path);
  describeBelow(root.fd, "", lines, firstNames);
  return lines;
}

function describeBelow(
  fd: number,
  above: string,
  lines: string[],
  firstNames: Map<bigint, string>,
): void {
  for (const { name, type, mode, mtime, mtimeNsec, size, ino } of listDirectory(fd)) {
    const shown = displayOsString(above === "" ? name : `${above}/${name}`);
    const words = [shown, type, mode.toString(8), `${mtime}.${mtimeNsec}`];
    if (type === "symlink") words.push(displayOsString(readLinkAt(fd, name)));
    if (type === "file") {
      using file = openFile(fd, name);
      if (!firstNames.has(ino)) firstNames.set(ino, shown);
      words.push(toHex(sha256(readWhole(file.fd, size))), firstNames.get(ino)!);
    }
    lines.push(words.join(" "));
    if (type !== "directory") continue;
    using directory = openDirectory(fd, name);
    describeBelow(directory.fd, `${above === "" ? "" : `${above}/`}${name}`, lines, firstNames);
  }
}
