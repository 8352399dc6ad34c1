// Which state the directory of an image holds. The record counts only for the very directory it was made
// for: whatever else has come there is not of the cache.

import { readFileIdentity } from "../../ffi/path.ts";
import { SystemError } from "../../ffi/system_error.ts";
import type { Scratch } from "../store/scratch.ts";
import { IMAGES } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import { DIRECTORIES_AT } from "./layout.ts";
import { findRecord, prepareRecord } from "./names.ts";
import type { TreeContent } from "./spare_trees.ts";

/** Name of the state that img/NAME holds; undefined if there is none, or it is not of the cache. */
export function findPlacedState(store: Store, name: string): string | undefined {
  return findPlaced(store, name)?.state;
}

/** What the directory DIRECTORY (a path) holds, which is or until now was img/NAME. */
export function findPlaced(
  store: Store,
  name: string,
  directory: string = imageDirectory(store, name),
): TreeContent | undefined {
  const record = findRecord(store, DIRECTORIES_AT, name);
  if (record?.identity === undefined || record.identity !== identify(directory)) return undefined;
  return { state: record.state, xattrs: record.xattrs === true };
}

/** DIRECTORY (a path), which is or will be img/NAME, holds CONTENT: once what is returned is called. */
export function prepareToPlace(
  store: Store,
  scratch: Pick<Scratch, "path">,
  name: string,
  { state, xattrs }: TreeContent,
  directory: string = imageDirectory(store, name),
): () => void {
  const identity = readFileIdentity(directory);
  return prepareRecord(store, scratch, DIRECTORIES_AT, name, { state, identity, xattrs });
}

function imageDirectory({ path }: Store, name: string): string {
  return `${path}/${IMAGES}/${name}`;
}

function identify(directory: string): string | undefined {
  try {
    return readFileIdentity(directory);
  } catch (error) {
    if (error instanceof SystemError && error.code === "ENOENT") return undefined;
    throw error;
  }
}
