// What killed commands left in the storage directory, which is removed when it is opened next.

import { SystemError } from "../../ffi/system_error.ts";
import { findEntry, listDirectory, openDirectory } from "../../ffi/tree.ts";
import { Downloads, isResumable } from "./downloads.ts";
import { DOWNLOADS, SCRATCH, USED } from "./layout.ts";
import { placeOf, placeOfScratch } from "./lock.ts";
import { restoreReplaced } from "./replace.ts";
import { removeStubborn } from "./scratch.ts";
import type { Store } from "./store.ts";
import { findUsed } from "./used_trees.ts";

/** Removes what nobody is working on. */
export function removeLeftovers(store: Store): void {
  removeScratch(store);
  removeDownloads(store);
}

function removeScratch(store: Store): void {
  const { path, fd, locks, log } = store;
  let removed = 0;
  const isUsed = findUsed();
  for (const name of listNames(fd, SCRATCH)) {
    const left = `${SCRATCH}/${name}`;
    const number = /^[1-9]\d{0,8}$/.test(name) ? Number(name) : undefined;
    using lock = number === undefined ? NOBODY : locks.tryLock(placeOfScratch(number));
    // Its owner may just have removed it.
    if (lock === undefined || findEntry(fd, left) === undefined) continue;
    if (isUsed(`${path}/${left}/${USED}`)) continue;
    const isExpected = findEntry(fd, `${left}/${USED}`) !== undefined;
    restoreReplaced(fd, left);
    removeStubborn(fd, left);
    if (!isExpected) removed++;
  }
  if (removed > 0) log.warning(`deleting leftover temporary file/dir: ${SCRATCH}`);
  if (findEntry(fd, SCRATCH) === undefined) return;
  try {
    Deno.removeSync(`${path}/${SCRATCH}`);
  } catch {
    // Somebody is working in it, or has removed it.
  }
}

function removeDownloads({ path, fd, locks, log }: Store): void {
  const downloads = new Downloads(path);
  let removed = 0;
  for (const name of listNames(fd, DOWNLOADS)) {
    downloads.removeIdleLockFile(name);
    if (!name.startsWith("part_") || isResumable(name)) continue;
    using lock = locks.tryLock(placeOf("blob", name.slice("part_".length)));
    if (lock === undefined) continue;
    removeStubborn(fd, `${DOWNLOADS}/${name}`);
    removed++;
  }
  if (removed > 0) log.warning(`deleted ${removed} partially downloaded files`);
}

const NOBODY: Disposable = { [Symbol.dispose]: () => {} };

/** Another command may remove the directory at any moment. */
function listNames(fd: number, path: string): readonly string[] {
  try {
    using directory = openDirectory(fd, path);
    return listDirectory(directory.fd).map(({ name }) => name);
  } catch (error) {
    if (error instanceof SystemError && ["ENOENT", "ENOTDIR"].includes(error.code)) return [];
    throw error;
  }
}
