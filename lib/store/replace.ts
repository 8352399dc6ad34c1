// A finished image takes its name within the storage, in one step.

import { SystemError } from "../../ffi/system_error.ts";
import { findEntry, listDirectory, openDirectory } from "../../ffi/tree.ts";
import { exchangeNames, makeDirectory, renameEntry, setMode } from "../../ffi/tree_change.ts";
import { IMAGES } from "./layout.ts";

/** Where a replaced image waits, below a scratch directory, if names can't be exchanged. */
const REPLACED = "replaced";

/**
 * `img/NAME` becomes the tree at `SCRATCH/root`. What was there before is left in the scratch directory.
 *
 * Nothing is forced to disk: after a crash of the machine (not of the program) the newest images may
 * be damaged, as with other tools of this kind. Waiting until hundreds of megabytes are written would
 * cost more than the rest of an import.
 */
export function replaceImage(storeFd: number, scratch: string, root: string, name: string): void {
  const fresh = `${scratch}/${root}`;
  const image = `${IMAGES}/${name}`;
  makeMovable(storeFd, fresh);
  if (findEntry(storeFd, image) === undefined) {
    return renameEntry(storeFd, fresh, storeFd, image);
  }
  makeDirectory(storeFd, `${scratch}/${REPLACED}`, 0o700);
  replaceEntry(storeFd, fresh, image, `${scratch}/${REPLACED}/${name}`);
}

/**
 * FRESH and PRESENT, directories both, change places. Where the file system can't do that (NFS, for
 * one), PRESENT goes ASIDE and FRESH takes its place.
 */
export function replaceEntry(
  storeFd: number,
  fresh: string,
  present: string,
  aside: string,
): void {
  makeMovable(storeFd, present);
  try {
    exchangeNames(storeFd, fresh, storeFd, present);
  } catch (error) {
    if (!(error instanceof SystemError) || !["EINVAL", "ENOSYS"].includes(error.code)) throw error;
    renameEntry(storeFd, present, storeFd, aside);
    renameEntry(storeFd, fresh, storeFd, present);
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
