// The files in an image that hold its metadata. They are written as new files under their names: an
// image's files may be hard links to another image's.

import { readWhole } from "../../ffi/descriptor.ts";
import { findEntry, openFile } from "../../ffi/tree.ts";
import {
  makeDirectories,
  makeDirectory,
  putFile,
  removeFile,
  removeTree,
  renameEntry,
} from "../../ffi/tree_change.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import {
  defaultMetadata,
  formatEnvironment,
  formatMetadata,
  type Metadata,
  parseMetadata,
} from "./metadata.ts";

export const METADATA_FILE = "ch/metadata.json";
export const ENVIRONMENT_FILE = "ch/environment";

/** More than any image needs; a file may claim any size. */
const MAX_SIZE = 64 * 2 ** 20;

/**
 * Metadata of the image whose root directory is ROOT_FD; defaults, and a warning, if it has none. PATH
 * is the root's, for messages. Throws a ChError if they can't be read.
 */
export function readMetadata(rootFd: number, path: string, log: Log): Metadata {
  const file = `${path}/${METADATA_FILE}`;
  let text: string;
  try {
    if (findEntry(rootFd, METADATA_FILE) === undefined) {
      log.warning("no metadata to load; using defaults");
      return defaultMetadata();
    }
    using descriptor = openFile(rootFd, METADATA_FILE);
    text = new TextDecoder().decode(readWhole(descriptor.fd, sizeOf(rootFd, METADATA_FILE)));
  } catch (error) {
    throw new ChError(`can’t read: ${file}`, { cause: error });
  }
  return parseMetadata(text, file);
}

/** Writes both files, and makes the directories that METADATA has as volumes. */
export function writeMetadata(rootFd: number, metadata: Metadata, log: Log): void {
  for (const volume of metadata.volumes) makeDirectories(rootFd, volume, 0o755);
  writeFiles(rootFd, metadata, log);
}

function writeFiles(rootFd: number, metadata: Metadata, log: Log): void {
  const { text, lost } = formatEnvironment(metadata.env);
  for (const name of lost) {
    log.warning(`value has a newline, not saved in ${ENVIRONMENT_FILE}: ${name}`);
  }
  replaceFile(rootFd, METADATA_FILE, formatMetadata(metadata));
  replaceFile(rootFd, ENVIRONMENT_FILE, text);
}

/**
 * Writes METADATA to UPPER_FD, the upper directory of an overlay on the image ROOT_FD. The files there are
 * what the image's will be.
 */
export function writeMetadataAbove(
  upperFd: number,
  rootFd: number,
  metadata: Metadata,
  log: Log,
): void {
  const directory = METADATA_FILE.slice(0, METADATA_FILE.lastIndexOf("/"));
  if (findEntry(upperFd, directory)?.type !== "directory") {
    removeTree(upperFd, directory);
    const { mode } = findEntry(rootFd, directory) ?? { mode: 0o755 };
    makeDirectory(upperFd, directory, mode);
  }
  for (const name of [METADATA_FILE, ENVIRONMENT_FILE]) {
    // It may be a whiteout, or of any type.
    removeTree(upperFd, name);
  }
  writeFiles(upperFd, metadata, log);
}

function replaceFile(rootFd: number, path: string, text: string): void {
  const fresh = `${path}.new`;
  const now = Date.now();
  const time = { mtime: Math.floor(now / 1000), mtimeNsec: (now % 1000) * 1_000_000 };
  try {
    if (findEntry(rootFd, fresh) !== undefined) removeFile(rootFd, fresh);
    putFile(rootFd, fresh, new TextEncoder().encode(text), 0o644, time);
    renameEntry(rootFd, fresh, rootFd, path);
  } catch (error) {
    throw new ChError(`can’t write: ${path}`, { cause: error });
  }
}

function sizeOf(rootFd: number, path: string): number {
  return Math.min(findEntry(rootFd, path)?.size ?? 0, MAX_SIZE);
}
