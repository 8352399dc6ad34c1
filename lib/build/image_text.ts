// Small text files of an image, found as a process in it would find them.

import { readWhole } from "../../ffi/descriptor.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { openFile, readEntry, resolveInRoot } from "../../ffi/tree.ts";

/** Text of the file PATH below ROOT_FD; undefined if there is none. */
export function findText(rootFd: number, path: string): string | undefined {
  try {
    const { path: canonical } = resolveInRoot(rootFd, path);
    const { size } = readEntry(rootFd, canonical);
    using file = openFile(rootFd, canonical);
    return new TextDecoder().decode(readWhole(file.fd, size));
  } catch (error) {
    const isNone = error instanceof SystemError &&
      ["ENOENT", "ENOTDIR", "EINVAL", "EISDIR", "ELOOP"].includes(error.code);
    if (isNone) return undefined;
    throw error;
  }
}
