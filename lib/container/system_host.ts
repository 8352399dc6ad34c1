// The Host that this machine is.

import { findMode, findRealPath, makeDirectory, readBytes, readLink } from "../../ffi/path.ts";
import { findGroup, findUser, readEnvironment, readIdentity } from "../../ffi/process.ts";
import type { FileKind, Host } from "./host.ts";

/** The host as this process sees it; its answers are not kept, but for environment and identity. */
export function openSystemHost(): Host {
  return {
    environment: readEnvironment(),
    identity: readIdentity(),
    get kernelRelease() {
      return Deno.osRelease();
    },
    lstat: (path) => kindOf(findMode(path, "keep")),
    stat: (path) => kindOf(findMode(path, "follow")),
    readLink,
    readFile: (path) => readBytes(path),
    readStart: readBytes,
    realPath: findRealPath,
    makeDirectory: (path) => makeDirectory(path),
    findUser,
    findGroup,
  };
}

const S_IFMT = 0o170000, S_IFDIR = 0o040000, S_IFREG = 0o100000, S_IFLNK = 0o120000;

/** Kind of a file by its mode, as stat(2) has it. */
export function kindOf(mode: number | undefined): FileKind | undefined {
  if (mode === undefined) return undefined;
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "directory";
    case S_IFREG:
      return "file";
    case S_IFLNK:
      return "symlink";
    default:
      return "other";
  }
}
