// Hard links in a tree whose targets are behind links, or that the file system does not make.

import { isSystemError } from "../../ffi/system_error.ts";
import { findEntry, openDirectory, openFile } from "../../ffi/tree.ts";
import {
  copyFileData,
  createFile,
  finishFile,
  makeHardLink as link,
} from "../../ffi/tree_change.ts";
import { ChError } from "../error.ts";
import type { Entry } from "./entry.ts";
import { findDirectory } from "./find_directory.ts";
import { displayPath, joinPath, normalizePath, splitPath } from "./member_path.ts";
import type { Place } from "./step_queue.ts";

/** ENTRY at PLACE, whose path is canonical; what is there is taken away by REMOVE. Throws a ChError if there
 * is no such target, else a SystemError. */
export function makeHardLink(
  rootFd: number,
  entry: Entry & { readonly type: "hardlink" },
  { parent, name }: Place,
  remove: (path: string) => void,
): void {
  const [targetParent, targetName] = splitPath(normalizePath(entry.target));
  const above = findDirectory(rootFd, targetParent);
  if (above === undefined || targetName === "") throw missingTarget(entry);
  using from = openDirectory(rootFd, above);
  const found = findEntry(from.fd, targetName);
  if (found === undefined || found.type === "directory") throw missingTarget(entry);
  using to = openDirectory(rootFd, parent);
  const present = findEntry(to.fd, name);
  if (present?.ino === found.ino && present.dev === found.dev) return;
  remove(joinPath(parent, name));
  try {
    link(from.fd, targetName, to.fd, name);
  } catch (error) {
    // Too many links, or a file system without: a copy is the next best.
    if (!isSystemError(error, "EMLINK", "EPERM", "EOPNOTSUPP") || found.type !== "file") {
      throw error;
    }
    using source = openFile(from.fd, targetName);
    using file = createFile(to.fd, name, 0o600);
    copyFileData(source.fd, file.fd, found.size);
    finishFile(file.fd, found.size, found.mode, found);
  }
}

function missingTarget({ path, target }: Entry & { readonly type: "hardlink" }): ChError {
  return new ChError(`can’t link: ${displayPath(path)} -> ${displayPath(target)}: no such member`);
}
