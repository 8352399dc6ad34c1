// Deleted images: what is kept of them, and bringing them back (spec ch-image §14.9).

import { ChError } from "../error.ts";
import { type ImageReference, mangleReference } from "../reference/reference.ts";
import type { Cache } from "./cache.ts";
import { DELETED, DIRECTORIES_AT, NAMES, UNREADY } from "./layout.ts";
import { findRecord, findRecordTime, listRecords, moveRecord, removeRecord } from "./names.ts";
import { findState } from "./state_files.ts";

/** The image NAME (mangled), whose directory is about to go, can be brought back from now on. */
export function buryName({ store }: Cache, name: string): void {
  moveRecord(store, NAMES, DELETED, name);
  removeRecord(store, UNREADY, name);
  removeRecord(store, DIRECTORIES_AT, name);
}

export interface DeletedImage {
  /** Mangled. */
  readonly name: string;
  readonly time: Date;
}

/** Images that can be brought back, sorted by name. */
export function listDeleted({ store }: Cache): DeletedImage[] {
  return listRecords(store, DELETED).flatMap((name) => {
    const time = findRecordTime(store, DELETED, name);
    return time === undefined ? [] : [{ name, time }];
  });
}

/** Throws a ChError if there is an image of that name, or none was deleted. */
export async function undeleteImage(cache: Cache, reference: ImageReference): Promise<void> {
  if (cache.mode !== "enabled") throw new ChError("only available when cache is enabled");
  const { store } = cache;
  if (store.hasImage(reference)) throw new ChError("image exists; will not overwrite");
  const record = findRecord(store, DELETED, mangleReference(reference.text));
  const state = record && findState(store, record.state);
  if (state === undefined) throw new ChError("image not in cache");
  await cache.finish(reference, state, undefined);
}
