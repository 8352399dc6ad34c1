// What killed commands left in the storage directory, which is removed when it is opened next.

import { findEntry, listDirectory, openDirectory } from "../../ffi/tree.ts";
import { isResumable } from "./downloads.ts";
import { DOWNLOADS, SCRATCH } from "./layout.ts";
import { placeOf, placeOfScratch } from "./lock.ts";
import { restoreReplaced } from "./replace.ts";
import { removeStubborn } from "./scratch.ts";
import type { Store } from "./store.ts";

/** Removes what nobody is working on. */
export function removeLeftovers(store: Store): void {
  removeScratch(store);
  removeDownloads(store);
}

function removeScratch({ path, fd, locks, log }: Store): void {
  let removed = 0;
  for (const name of listNames(fd, SCRATCH)) {
    const number = /^[1-9]\d{0,8}$/.test(name) ? Number(name) : undefined;
    using lock = number === undefined ? NOBODY : locks.tryLock(placeOfScratch(number));
    if (lock === undefined) continue;
    restoreReplaced(fd, `${SCRATCH}/${name}`);
    removeStubborn(fd, `${SCRATCH}/${name}`);
    removed++;
  }
  if (removed === 0) return;
  log.warning(`deleting leftover temporary file/dir: ${SCRATCH}`);
  try {
    Deno.removeSync(`${path}/${SCRATCH}`);
  } catch {
    // Somebody is working in it, or has removed it.
  }
}

function removeDownloads({ fd, locks, log }: Store): void {
  let removed = 0;
  for (const name of listNames(fd, DOWNLOADS)) {
    if (!name.startsWith("part_") || isResumable(name)) continue;
    using lock = locks.tryLock(placeOf("blob", name.slice("part_".length)));
    if (lock === undefined) continue;
    removeStubborn(fd, `${DOWNLOADS}/${name}`);
    removed++;
  }
  if (removed > 0) log.warning(`deleted ${removed} partially downloaded files`);
}

const NOBODY: Disposable = { [Symbol.dispose]: () => {} };

function listNames(fd: number, path: string): readonly string[] {
  if (findEntry(fd, path)?.type !== "directory") return [];
  using directory = openDirectory(fd, path);
  return listDirectory(directory.fd).map(({ name }) => name);
}
