// A directory that grows beside its place and takes it when it is complete, except that an empty one
// that is there already is filled where it is.

import { displayOsString } from "../../ffi/os_string.ts";
import { findRealPath } from "../../ffi/path.ts";
import { isSystemError, SystemError } from "../../ffi/system_error.ts";
import { listDirectory, openDirectory, openRoot } from "../../ffi/tree.ts";
import * as change from "../../ffi/tree_change.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { splitFilePath } from "./file_path.ts";
import { findMountBelow } from "./mounts.ts";
import type { PresentDirectory } from "./output_check.ts";
import { temporaryName } from "./temporary_name.ts";

export interface DirectoryPlace {
  /** An OsString. */
  readonly path: string;
  /** Looks at what is there, and throws a ChError if it may not be replaced. Asked before anything is
   * done, and again when the new directory is to take the place. */
  readonly check: () => PresentDirectory;
}

const ATTEMPTS = 100;

/** Makes a directory by FILL. If it throws, what was there still is, and nothing else. */
export async function replaceDirectory(
  { path, check }: DirectoryPlace,
  fill: (rootFd: number) => Promise<void>,
  log: Log,
): Promise<void> {
  const present = check();
  if (present === "empty") {
    log.info(`using empty directory: ${displayOsString(path)}`);
    return await fillEmpty(path, fill);
  }
  if (present !== "nothing") {
    requireNoMounts(path, present);
    log.info(`deleting existing image: ${displayOsString(path)}`);
  }
  const [parent, name] = splitFilePath(path);
  if (name === "..") throw new ChError(`can’t replace: ${displayOsString(path)}`);
  const temporary = temporaryName(name);
  using directory = openRoot(parent);
  change.makeDirectory(directory.fd, temporary, 0o777 & ~Deno.umask());
  let isReplaced: boolean;
  try {
    {
      using root = openDirectory(directory.fd, temporary);
      await fill(root.fd);
    }
    isReplaced = takePlace(directory.fd, temporary, name, { path, check });
  } catch (error) {
    change.removeTree(directory.fd, temporary);
    throw error;
  }
  // What was replaced bears the temporary name now.
  if (isReplaced) removeReplaced(directory.fd, temporary, path);
}

async function fillEmpty(path: string, fill: (rootFd: number) => Promise<void>): Promise<void> {
  using root = openRoot(path);
  try {
    await fill(root.fd);
  } catch (error) {
    for (const { name } of listDirectory(root.fd)) change.removeTree(root.fd, name);
    throw error;
  }
}

/** Others may have been there meanwhile: what they left decides anew, as often as it takes. Returns
 * whether something has the temporary name now. */
function takePlace(dirFd: number, temporary: string, name: string, place: DirectoryPlace): boolean {
  for (let attempt = 1;; attempt++) {
    const present = place.check();
    try {
      return put(dirFd, temporary, name, present, place.path);
    } catch (error) {
      const isChanged = isSystemError(error, "EEXIST", "ENOENT", "ENOTEMPTY", "ENOTDIR");
      if (!isChanged || attempt === ATTEMPTS) throw error;
    }
  }
}

function put(
  dirFd: number,
  temporary: string,
  name: string,
  present: PresentDirectory,
  path: string,
): boolean {
  switch (present) {
    case "nothing":
      putNew(dirFd, temporary, name);
      return false;
    case "empty":
      change.renameEntry(dirFd, temporary, dirFd, name);
      return false;
    case "image":
    case "link":
      requireNoMounts(path, present);
      exchange(dirFd, temporary, name);
      return true;
    default:
      return present satisfies never;
  }
}

function putNew(dirFd: number, temporary: string, name: string): void {
  try {
    change.renameToNew(dirFd, temporary, dirFd, name);
  } catch (error) {
    if (!isSystemError(error, "EINVAL", "ENOSYS")) throw error;
    // No such call on this file system. This one replaces an empty directory at worst.
    change.renameEntry(dirFd, temporary, dirFd, name);
  }
}

/** In one step, or in two where the file system has no such step. */
function exchange(dirFd: number, temporary: string, name: string): void {
  try {
    return change.exchangeNames(dirFd, temporary, dirFd, name);
  } catch (error) {
    if (!isSystemError(error, "EINVAL", "ENOSYS")) throw error;
  }
  const aside = temporaryName(name);
  change.renameEntry(dirFd, name, dirFd, aside);
  change.renameEntry(dirFd, temporary, dirFd, name);
  change.renameEntry(dirFd, aside, dirFd, temporary);
}

/** A link is removed, not what it leads to. What was mounted in it at the last moment stops it. */
function removeReplaced(dirFd: number, temporary: string, path: string): void {
  try {
    change.removeTree(dirFd, temporary);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const left = `${splitFilePath(path)[0]}/${temporary}`;
    throw new ChError(`can’t delete what was replaced: ${displayOsString(left)}`, { cause: error });
  }
}

/** Nothing is deleted beneath a mount point (spec ch-convert §5), so it is looked for first. */
function requireNoMounts(path: string, present: PresentDirectory): void {
  const real = present === "image" ? findRealPath(path) : undefined;
  const mount = real === undefined ? undefined : findMountBelow(real);
  if (mount === undefined) return;
  throw new ChError(
    `can’t delete existing image: ${displayOsString(path)}: something is mounted at ${
      displayOsString(mount)
    }`,
    { hint: "unmount it first" },
  );
}
