// What a path of the host leads to.

import { displayOsString } from "../../ffi/os_string.ts";
import { findMode } from "../../ffi/path.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";

export type HostFileType = "directory" | "file" | "link" | "other";

const S_IFMT = 0o170000, S_IFDIR = 0o040000, S_IFREG = 0o100000, S_IFLNK = 0o120000;

/** Undefined if there is nothing, also where a link leads nowhere. "link" only if LINKS are kept. */
export function findFileType(path: string, links: "follow" | "keep"): HostFileType | undefined {
  const mode = findModeOf(path, links);
  if (mode === undefined) return undefined;
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "directory";
    case S_IFREG:
      return "file";
    case S_IFLNK:
      return "link";
    default:
      return "other";
  }
}

function findModeOf(path: string, links: "follow" | "keep"): number | undefined {
  try {
    return findMode(path, links);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (["ENOTDIR", "ELOOP"].includes(error.code)) return undefined;
    throw new ChError(`can’t access: ${displayOsString(path)}`, { cause: error });
  }
}
