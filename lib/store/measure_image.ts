// How much an image holds, and how much of it is its own.

import { listDirectory, openDirectory, openRoot } from "../../ffi/tree.ts";

export interface ImageSize {
  /** Regular files, each counted once however many names it has in the image. */
  readonly files: number;
  readonly directories: number;
  /** Symbolic links and FIFOs. */
  readonly others: number;
  /** Content of the regular files. */
  readonly bytes: number;
  /** Of these: in files that nothing else has. */
  readonly ownBytes: number;
  /** Of these: in files that other images or states have, too. */
  readonly sharedBytes: number;
}

interface File {
  readonly size: number;
  readonly links: number;
  /** Met so far. */
  names: number;
}

/** IS_CACHED: each file has one more name in the build cache, which does not count. */
export function measureImage(path: string, isCached: boolean): ImageSize {
  const files = new Map<bigint, File>();
  const counts = { directories: 0, others: 0 };
  using root = openRoot(path);
  measureBelow(root.fd, files, counts);
  let bytes = 0;
  let ownBytes = 0;
  for (const { size, links, names } of files.values()) {
    bytes += size;
    if (links <= names + (isCached ? 1 : 0)) ownBytes += size;
  }
  return { files: files.size, ...counts, bytes, ownBytes, sharedBytes: bytes - ownBytes };
}

function measureBelow(
  fd: number,
  files: Map<bigint, File>,
  counts: { directories: number; others: number },
): void {
  for (const { name, type, size, nlink, ino } of listDirectory(fd)) {
    switch (type) {
      case "directory": {
        counts.directories++;
        using directory = openDirectory(fd, name);
        measureBelow(directory.fd, files, counts);
        break;
      }
      case "file": {
        const file = files.get(ino);
        if (file === undefined) files.set(ino, { size, links: nlink, names: 1 });
        else file.names++;
        break;
      }
      default:
        counts.others++;
    }
  }
}
