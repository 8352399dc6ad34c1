// The Host that this machine is.

import {
  findMode,
  findRealPath,
  findXattr,
  readBytes,
  readFileIdentity,
  readLink,
} from "../../ffi/path.ts";
import { findGroup, findUser, readEnvironment, readIdentity } from "../../ffi/process.ts";
import type { FileKind, Host } from "./host.ts";

/** A file of an image that is read into memory; a hostile image has terabytes of zeros. */
export const IMAGE_FILE_MAX = 64 << 20;

/** The host as this process sees it; its answers are not kept, but for environment and identity. */
export function openSystemHost(): Host {
  return {
    environment: readEnvironment(),
    identity: readIdentity(),
    get parent() {
      return Deno.ppid;
    },
    get kernelRelease() {
      return Deno.osRelease();
    },
    imageFiles: {
      lstat: (path) => kindOf(findMode(path, "refuse")),
      readLink: (path) => readLink(path, "refuse"),
      readFile: (path) => readBytes(path, IMAGE_FILE_MAX, "refuse"),
    },
    lstat: (path) => kindOf(findMode(path, "keep")),
    stat: (path) => kindOf(findMode(path, "follow")),
    readLink,
    readFile: (path) => readBytes(path),
    readStart: readBytes,
    realPath: findRealPath,
    readIdentity: readFileIdentity,
    isOpaque: (path) => findXattr(path, "user.overlay.opaque") === "y",
    findUser,
    findGroup,
  };
}

const S_IFMT = 0o170000,
  S_IFCHR = 0o020000,
  S_IFDIR = 0o040000,
  S_IFREG = 0o100000,
  S_IFLNK = 0o120000;

/** Kind of a file by its mode, as stat(2) has it. */
export function kindOf(mode: number | undefined): FileKind | undefined {
  if (mode === undefined) return undefined;
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "directory";
    case S_IFREG:
      return "file";
    case S_IFCHR:
      return "char";
    case S_IFLNK:
      return "symlink";
    default:
      return "other";
  }
}
