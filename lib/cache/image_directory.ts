// Which state the directory of an image holds. The record counts only for the very directory it was made
// for: whatever else has come there is not of the cache.

import { readFileIdentity } from "../../ffi/path.ts";
import { SystemError } from "../../ffi/system_error.ts";
import type { Scratch } from "../store/scratch.ts";
import { IMAGES } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import { DIRECTORIES_AT } from "./layout.ts";
import { findRecord, prepareRecord } from "./names.ts";

/** Name of the state that img/NAME holds; undefined if there is none, or it is not of the cache. */
export function findPlacedState(store: Store, name: string): string | undefined {
  const record = findRecord(store, DIRECTORIES_AT, name);
  return record?.identity !== undefined && record.identity === identify(store, name)
    ? record.state
    : undefined;
}

/** DIRECTORY (a path), which is or will be img/NAME, holds STATE: once what is returned is called. */
export function prepareToPlace(
  store: Store,
  scratch: Pick<Scratch, "path">,
  name: string,
  state: string,
  directory: string = `${store.path}/${IMAGES}/${name}`,
): () => void {
  const identity = readFileIdentity(directory);
  return prepareRecord(store, scratch, DIRECTORIES_AT, name, { state, identity });
}

function identify(store: Store, name: string): string | undefined {
  try {
    return readFileIdentity(`${store.path}/${IMAGES}/${name}`);
  } catch (error) {
    if (error instanceof SystemError && error.code === "ENOENT") return undefined;
    throw error;
  }
}
