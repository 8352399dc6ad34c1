// Garbage collection: states that no name leads to, and files that no state has, are removed (spec
// build-cache §8.3).

import { sweepObjects, type Swept } from "../../ffi/cache.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { LARGE_FILES } from "../store/layout.ts";
import { CACHE_PLACE } from "../store/lock.ts";
import type { Cache } from "./cache.ts";
import { type Graph, type GraphState, readGraph } from "./graph.ts";
import { walkHistory } from "./history.ts";
import { DELETED, NAMES, UNREADY } from "./layout.ts";
import { findRecord, listRecords, removeRecord } from "./names.ts";
import { removeSpareTrees } from "./spare_trees.ts";
import { hasState, removeState, sizeOfState } from "./state_files.ts";

export interface CollectOptions {
  /** Unnamed states that are younger, in seconds, stay. */
  readonly keepYounger?: number | undefined;
  /** Unnamed states stay, the newest first, as long as the files of states are not larger, in bytes. */
  readonly keepBytes?: number | undefined;
}

export interface Collected {
  readonly states: number;
  readonly files: number;
  /** Bytes on disk. */
  readonly freed: number;
}

/** Removes what nothing leads to: images, builds that are not finished, and deleted images do. */
export async function collectGarbage(cache: Cache, options: CollectOptions): Promise<Collected> {
  const { store, options: { log, signal } } = cache;
  log.info("collecting cache garbage");
  using _removing = await store.locks.lock(CACHE_PLACE, {
    signal,
    onWait: () => log.info("waiting for builds to store what they are about to ..."),
  });
  const graph = readGraph(store);
  for (const name of graph.damaged) {
    log.warning(`build cache: removing damaged state: ${name}`);
    removeState(store, name);
  }
  const kept = await chooseKept(cache, graph, options);
  const removed = graph.states.filter(({ name }) => !kept.has(name)).reverse();
  const freed = removed.reduce((sum, { name }) => sum + sizeOfState(store, name), 0);
  for (const { name } of removed) removeState(store, name);
  dropDeadRecords(cache);
  removeSpareTrees(store);
  const swept = await sweep(cache, [...kept]);
  collectLargeFiles(cache);
  const result = { states: removed.length, files: swept.removed, freed: freed + swept.freed };
  log.verbose(`removed ${result.states} states, ${result.files} files, ${result.freed} bytes`);
  return result;
}

/** Names of the states that stay; all that come before one of them are among them. */
async function chooseKept(
  cache: Cache,
  graph: Graph,
  { keepYounger, keepBytes }: CollectOptions,
): Promise<Set<string>> {
  const { store } = cache;
  const kept = new Set<string>();
  const keep = (name: string) => {
    for (const state of walkHistory(store, name)) {
      if (kept.has(state.name)) return;
      kept.add(state.name);
    }
  };
  for (const kind of [NAMES, UNREADY, DELETED] as const) {
    for (const name of listRecords(store, kind)) {
      const record = findRecord(store, kind, name);
      if (record !== undefined) keep(record.state);
    }
  }
  const now = Date.now() / 1000;
  const unnamed = graph.states.filter(({ name }) => !kept.has(name)).reverse();
  for (const { name, time } of unnamed) {
    if (keepYounger !== undefined && now - time < keepYounger) keep(name);
  }
  if (keepBytes !== undefined) await keepWhileSmall(cache, unnamed, keepBytes, kept, keep);
  return kept;
}

/** Adds states, the newest first, until what they add up to is too large. */
async function keepWhileSmall(
  cache: Cache,
  candidates: readonly GraphState[],
  limit: number,
  kept: ReadonlySet<string>,
  keep: (name: string) => void,
): Promise<void> {
  for (const { name } of candidates) {
    if (kept.has(name)) continue;
    const before = new Set(kept);
    keep(name);
    const { bytes } = await sweepObjects(cache.fd, [...kept], "measure");
    if (bytes <= limit) continue;
    for (const added of kept) if (!before.has(added)) (kept as Set<string>).delete(added);
    return;
  }
}

async function sweep(cache: Cache, kept: string[]): Promise<Swept> {
  for (;;) {
    try {
      return await sweepObjects(cache.fd, kept, "remove");
    } catch (error) {
      const isDamaged = error instanceof SystemError && error.code === "EBADMSG" &&
        kept.includes(error.path);
      if (!isDamaged) throw error;
      cache.options.log.warning(`build cache: removing damaged state: ${error.path}`);
      removeState(cache.store, error.path);
      kept = kept.filter((name) => name !== error.path);
    }
  }
}

/** Of states that are gone because they were damaged. */
function dropDeadRecords({ store }: Cache): void {
  for (const kind of [NAMES, UNREADY, DELETED] as const) {
    for (const name of listRecords(store, kind)) {
      const record = findRecord(store, kind, name);
      if (record === undefined || !hasState(store, record.state)) removeRecord(store, kind, name);
    }
  }
}

/** A large file is listed as long as it is an object, too. */
function collectLargeFiles({ store, options: { log } }: Cache): void {
  const path = `${store.path}/${LARGE_FILES}`;
  let used = 0;
  for (const { name } of Deno.readDirSync(path)) {
    const file = `${path}/${name}`;
    if ((Deno.lstatSync(file).nlink ?? 0) > 1) used++;
    else Deno.removeSync(file);
  }
  log.info(`found ${used} large files used; deleting others`);
}
