// A finished image takes its name within the storage, in one step.

import { SystemError } from "../../ffi/system_error.ts";
import { findEntry, listDirectory, openDirectory } from "../../ffi/tree.ts";
import { exchangeNames, makeDirectory, renameEntry, setMode } from "../../ffi/tree_change.ts";
import { IMAGES, REPLACED } from "./layout.ts";

/**
 * `img/NAME` becomes the tree at `SCRATCH/root`. What was there before is left in the scratch directory;
 * returns its path then.
 *
 * Nothing is forced to disk: after a crash of the machine (not of the program) the newest images may
 * be damaged, as with other tools of this kind. Waiting until hundreds of megabytes are written would
 * cost more than the rest of an import.
 */
export function replaceImage(
  storeFd: number,
  scratch: string,
  root: string,
  name: string,
): string | undefined {
  const fresh = `${scratch}/${root}`;
  const image = `${IMAGES}/${name}`;
  makeMovable(storeFd, fresh);
  if (findEntry(storeFd, image) === undefined) {
    renameEntry(storeFd, fresh, storeFd, image);
    return undefined;
  }
  makeDirectory(storeFd, `${scratch}/${REPLACED}`, 0o700);
  return replaceEntry(storeFd, fresh, image, `${scratch}/${REPLACED}/${name}`);
}

/**
 * FRESH and PRESENT, directories both, change places. Where the file system can't do that (NFS, for
 * one), PRESENT goes ASIDE and FRESH takes its place. Returns where what was PRESENT is.
 */
export function replaceEntry(
  storeFd: number,
  fresh: string,
  present: string,
  aside: string,
): string {
  makeMovable(storeFd, present);
  try {
    exchangeNames(storeFd, fresh, storeFd, present);
    return fresh;
  } catch (error) {
    if (!(error instanceof SystemError) || !["EINVAL", "ENOSYS"].includes(error.code)) throw error;
    renameEntry(storeFd, present, storeFd, aside);
    renameEntry(storeFd, fresh, storeFd, present);
    return aside;
  }
}

/** Takes PATH out of sight, to the name TARGET in a scratch directory. */
export function withdrawEntry(storeFd: number, path: string, target: string): void {
  makeMovable(storeFd, path);
  renameEntry(storeFd, path, storeFd, target);
}

/** Undoes replacements without exchange that a killed command left between their two steps in SCRATCH. */
export function restoreReplaced(storeFd: number, scratch: string): void {
  const replaced = `${scratch}/${REPLACED}`;
  for (const name of listNames(storeFd, replaced)) {
    const image = `${IMAGES}/${name}`;
    if (findEntry(storeFd, image) !== undefined) continue;
    renameEntry(storeFd, `${replaced}/${name}`, storeFd, image);
  }
}

function listNames(storeFd: number, path: string): readonly string[] {
  if (findEntry(storeFd, path)?.type !== "directory") return [];
  using directory = openDirectory(storeFd, path);
  return listDirectory(directory.fd).map(({ name }) => name);
}

/** A directory can only be moved elsewhere by who may write to it: its ".." changes. */
function makeMovable(storeFd: number, path: string): void {
  const entry = findEntry(storeFd, path);
  if (entry?.type !== "directory" || (entry.mode & 0o700) === 0o700) return;
  setMode(storeFd, path, entry.mode | 0o700);
}
