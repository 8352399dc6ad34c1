// Trees of states that no image has any more. The next tree that a build wants is made from the nearest one,
// by what differs, so that it costs what has changed and not what the image holds. Few are kept: their
// files are links, but their directories are not. Taking and putting are each one rename, so no
// lock is needed, and what lies here is whole.

import { SystemError } from "../../ffi/system_error.ts";
import { renameEntry } from "../../ffi/tree_change.ts";
import { Scratch } from "../store/scratch.ts";
import type { Store } from "../store/store.ts";
import { findUsed, keepIfUsed } from "../store/used_trees.ts";
import { countSteps } from "./history.ts";
import { SPARE_TREES } from "./layout.ts";
import { hasState, isStateName } from "./state_files.ts";

/** One for the image that is worked on, and one for the stage before it. */
const KEPT = 2;

/** What a tree holds. */
export interface TreeContent {
  readonly state: string;
  /** Whether the files have the extended attributes of the state. */
  readonly xattrs: boolean;
}

/** Moves the spare tree that is nearest to WANTED to where TAKE says; the name of the state that it holds.
 * Undefined if there is none that has anything to do with it. */
export function takeSpareTree(
  store: Store,
  wanted: TreeContent,
  take: (tree: string) => void,
): string | undefined {
  const near = listSpareTrees(store).flatMap((tree) => {
    if (tree.xattrs !== wanted.xattrs || !hasState(store, tree.state)) return [];
    const steps = countSteps(store, tree.state, wanted.state);
    return steps === undefined ? [] : [{ ...tree, steps }];
  });
  if (near.length === 0) return undefined;
  const isUsed = findUsed();
  for (const { path, state } of near.sort((one, other) => one.steps - other.steps)) {
    if (isUsed(`${store.path}/${path}`)) continue;
    try {
      take(path);
      return state;
    } catch (error) {
      // Another command was faster.
      if (!(error instanceof SystemError) || error.code !== "ENOENT") throw error;
    }
  }
  return undefined;
}

/** TREE (relative to the storage), which holds CONTENT and is nobody's, is kept for later. If that cannot be,
 * as on a full disk, it stays where it is. */
export function keepSpareTree(store: Store, tree: string, { state, xattrs }: TreeContent): void {
  const unique = crypto.randomUUID().slice(0, 8);
  const time = Date.now().toString(36).padStart(9, "0");
  const name = `${state.slice(3)}.${time}.${xattrs ? "x" : "n"}.${unique}`;
  try {
    Deno.mkdirSync(`${store.path}/${SPARE_TREES}`, { recursive: true });
    renameEntry(store.fd, tree, store.fd, `${SPARE_TREES}/${name}`);
    removeTrees(store, listSpareTrees(store).slice(KEPT));
  } catch (error) {
    store.log.debug(`spare tree is not kept: ${error}`);
  }
}

/** Removes all of them. */
export function removeSpareTrees(store: Store): void {
  removeTrees(store, listSpareTrees(store));
}

interface SpareTree extends TreeContent {
  /** Relative to the storage. */
  readonly path: string;
  readonly time: string;
}

const NAME = /^(([0-9A-F]{2})[0-9A-F]{30}-\d{8,})\.([0-9a-z]{9})\.([xn])\.[0-9a-f]{8}$/;

/** The newest first. */
function listSpareTrees(store: Store): SpareTree[] {
  return listNames(`${store.path}/${SPARE_TREES}`).flatMap((name) => {
    const [, base, directory, time, xattrs] = NAME.exec(name) ?? [];
    const state = `${directory}/${base}`;
    if (!isStateName(state)) return [];
    return [{ path: `${SPARE_TREES}/${name}`, state, time: time!, xattrs: xattrs === "x" }];
  }).sort((one, other) => one.time < other.time ? 1 : -1);
}

function removeTrees(store: Store, trees: readonly SpareTree[]): void {
  if (trees.length === 0) return;
  const isUsed = findUsed();
  using scratch = new Scratch(store);
  for (const [index, { path }] of trees.entries()) {
    const removed = `${scratch.name}/spare.${index}`;
    try {
      renameEntry(store.fd, path, store.fd, removed);
      keepIfUsed(store, removed, isUsed);
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== "ENOENT") throw error;
    }
  }
}

function listNames(path: string): string[] {
  try {
    return Array.from(Deno.readDirSync(path), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
