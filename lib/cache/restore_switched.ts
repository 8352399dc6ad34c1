// Images that a killed command had out of sight, to change them from one state to another. What is left of
// such a directory is between the two, so the image is made anew: it is what its name points at.

import { checkOutTreeNow } from "../../ffi/cache.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { findEntry, listDirectory, openDirectory } from "../../ffi/tree.ts";
import { makeDirectory, renameEntry } from "../../ffi/tree_change.ts";
import { unmangleName } from "../reference/reference.ts";
import { CACHE, IMAGES, SWITCHED } from "../store/layout.ts";
import { placeOf } from "../store/lock.ts";
import type { Store } from "../store/store.ts";
import { prepareToPlace } from "./image_directory.ts";
import { NAMES } from "./layout.ts";
import { findRecord } from "./names.ts";

/** SCRATCH, relative to the storage directory, is of a killed command, and locked by the caller. */
export function restoreSwitched(store: Store, scratch: string): void {
  const switched = `${scratch}/${SWITCHED}`;
  if (findEntry(store.fd, switched)?.type !== "directory") return;
  using directory = openDirectory(store.fd, switched);
  for (const { name } of listDirectory(directory.fd)) restoreImage(store, scratch, name);
}

function restoreImage(store: Store, scratch: string, name: string): void {
  // Somebody else who has it is making the image at this moment.
  using swap = store.locks.tryLock(placeOf("image", name));
  const record = findRecord(store, NAMES, name);
  const path = `${IMAGES}/${name}`;
  if (swap === undefined || record === undefined || findEntry(store.fd, path) !== undefined) return;
  store.log.info(`restoring image from cache: ${unmangleName(name)}`);
  const fresh = `${scratch}/restored`;
  makeDirectory(store.fd, fresh, 0o755);
  try {
    using cache = openDirectory(store.fd, CACHE);
    using root = openDirectory(store.fd, fresh);
    checkOutTreeNow({ cacheFd: cache.fd, state: record.state, toFd: root.fd });
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== "EBADMSG") throw error;
    store.log.warning(
      `can’t restore image, its state in the build cache is damaged: ${unmangleName(name)}`,
      "build it again",
    );
    return;
  }
  renameEntry(store.fd, fresh, store.fd, path);
  prepareToPlace(store, { path: `${store.path}/${scratch}` }, name, record.state)();
}
