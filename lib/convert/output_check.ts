// Whether an output may be written, decided before anything is (spec ch-convert §5).

import { findRealPath } from "../../ffi/path.ts";
import { findEntry, listDirectory, openRoot } from "../../ffi/tree.ts";
import { displayOsString } from "../../ffi/os_string.ts";
import { ChError } from "../error.ts";
import { LAYOUT_FILE } from "../oci/layout.ts";
import { existsAlready } from "./file_output.ts";
import { splitFilePath } from "./file_path.ts";
import { findFileType } from "./file_type.ts";

/** What stands where a directory is to be made. */
export type PresentDirectory = "nothing" | "empty" | "image" | "link";

/** Throws a ChError if PATH must not become a directory with an image in it. "link": a symbolic link to
 * an image, which stays where it is. */
export function checkDirectoryOutput(path: string, noClobber: boolean): PresentDirectory {
  return checkDirectory(path, noClobber, looksLikeImage, "an image");
}

/** The same for an OCI layout. */
export function checkLayoutOutput(path: string, noClobber: boolean): PresentDirectory {
  return checkDirectory(path, noClobber, looksLikeLayout, "an OCI layout");
}

function checkDirectory(
  path: string,
  noClobber: boolean,
  isReplaceable: (path: string) => boolean,
  kind: string,
): PresentDirectory {
  checkParent(path);
  // With a slash at its end a link would be followed.
  const own = findFileType(splitFilePath(path).join("/"), "keep");
  if (own === undefined) return "nothing";
  const display = displayOsString(path);
  if (findFileType(path, "follow") !== "directory") {
    throw new ChError(`exists but not a directory: ${display}`);
  }
  // An empty directory behind a link is not taken for one: it would be filled elsewhere.
  if (own === "directory" && isEmpty(path)) return "empty";
  if (!isReplaceable(path)) {
    throw new ChError(`exists but does not appear to be ${kind} and is not empty: ${display}`);
  }
  if (noClobber) throw existsAlready(path);
  return own === "link" ? "link" : "image";
}

/** The path to write where PATH is to become a file: behind links, if it is one. Throws a ChError. */
export function checkFileOutput(path: string, noClobber: boolean): string {
  checkParent(path);
  const display = displayOsString(path);
  if (noClobber && findFileType(path, "keep") !== undefined) throw existsAlready(path);
  const type = findFileType(path, "follow");
  if (type === undefined) {
    if (findFileType(path, "keep") === undefined) return path;
    throw new ChError(`exists but not a regular file: ${display}`);
  }
  if (type !== "file") throw new ChError(`exists but not a regular file: ${display}`);
  return findRealPath(path) ?? path;
}

function checkParent(path: string): void {
  const [parent] = splitFilePath(path);
  if (findFileType(parent, "follow") !== "directory") {
    throw new ChError(`not a directory: ${displayOsString(parent)}`);
  }
}

/** `bin`, `dev` and `usr` are there and are directories, as the host sees them. */
function looksLikeImage(path: string): boolean {
  return ["bin", "dev", "usr"].every((name) =>
    findFileType(`${path}/${name}`, "follow") === "directory"
  );
}

function looksLikeLayout(path: string): boolean {
  return findFileType(`${path}/${LAYOUT_FILE}`, "keep") === "file";
}

function isEmpty(path: string): boolean {
  using directory = openRoot(path);
  return findEntry(directory.fd, "")?.type === "directory" &&
    listDirectory(directory.fd).length === 0;
}
