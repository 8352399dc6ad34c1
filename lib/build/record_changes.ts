// An instruction is carried out, and what it changed becomes a state of the build cache: from an
// overlay's upper directory, or from the places where it may have changed the tree.

import { makeDirectories } from "../../ffi/tree_change.ts";
import { findEntry, openRoot, readEntry } from "../../ffi/tree.ts";
import type { Change, State, StateKey, StateStore } from "../cache/state_store.ts";
import type { Log } from "../log/log.ts";
import {
  ENVIRONMENT_FILE,
  METADATA_FILE,
  writeMetadata,
  writeMetadataAbove,
} from "../store/metadata_files.ts";
import { OWNERS_FILE } from "../store/owners.ts";
import type { Action } from "./action.ts";
import type { RunTree } from "./container.ts";
import type { GrowingTree } from "./growing_tree.ts";
import type { StageState } from "./state.ts";
import { listMissing, listTouched } from "./touched_paths.ts";

export interface Recorder {
  readonly tree: GrowingTree;
  readonly cache: StateStore;
  /** With the action applied. */
  readonly state: StageState;
  readonly directoryMode: number;
  readonly log: Log;
  /** Adds the instruction to the history; called when it is done. */
  readonly remember: () => void;
  readonly carryOut: (tree: RunTree) => Promise<void>;
}

/** The state after ACTION, which KEY identifies, if PARENT is the one before. */
export async function recordChanges(
  action: Action,
  key: StateKey,
  parent: State,
  recorder: Recorder,
): Promise<State> {
  const { tree } = recorder;
  const touched = listTouched(action, recorder.state, tree.rootFd);
  const isRun = action.op === "run" || action.op === "rsync";
  if (isRun && tree.run.hasOverlay) {
    return await recordOverlay(key, parent, touched, recorder);
  }
  tree.state = undefined;
  // Such a command may have changed anything.
  const since = isRun ? readClock(tree.run.newDirectory) : undefined;
  await recorder.carryOut(tree.run);
  recorder.remember();
  const metadata = recorder.state.toMetadata();
  const volumes = metadata.volumes.flatMap((path) => listMissing(path, tree.rootFd));
  writeMetadata(tree.rootFd, metadata, recorder.log);
  const change: Change = {
    kind: "paths",
    rootFd: tree.rootFd,
    paths: isRun ? [""] : [...touched, ...volumes, ...listOwn(tree.rootFd)],
    files: tree.files,
    ...since === undefined ? {} : { since },
  };
  return tree.state = await recorder.cache.commit({ parent, key, metadata, change });
}

/** Charliecloud's own files, which any instruction may write to. */
function listOwn(rootFd: number): string[] {
  const hasOwners = findEntry(rootFd, OWNERS_FILE) !== undefined;
  return [METADATA_FILE, ENVIRONMENT_FILE, ...hasOwners ? [OWNERS_FILE] : []];
}

async function recordOverlay(
  key: StateKey,
  parent: State,
  touched: readonly string[],
  { tree, cache, state, log, directoryMode, remember, carryOut }: Recorder,
): Promise<State> {
  const { rootFd } = tree;
  /** The newest state; what comes in between has the parent's identity, as if it were the parent. */
  let newest = parent;
  const store = async (change: Change, own: StateKey) => {
    const metadata = state.toMetadata();
    const made = await cache.commit({
      parent: { ...newest, sid: parent.sid },
      key: own,
      metadata,
      change,
    });
    newest = made;
  };
  const preparation = { text: `${key.text} (preparation)` };
  if (touched.length > 0) {
    tree.state = undefined;
    for (const path of touched) makeDirectories(rootFd, path, directoryMode);
    await store({ kind: "paths", rootFd, paths: touched, files: tree.files }, preparation);
    tree.state = newest;
  }
  let isDone = false;
  await carryOut({
    ...tree.run,
    onChanges: async (upperFd, purpose) => {
      isDone = purpose === "instruction";
      if (isDone) {
        remember();
        writeMetadataAbove(upperFd, rootFd, state.toMetadata(), log);
      }
      await store({ kind: "overlay", upperFd }, isDone ? key : preparation);
      // It is merged into the tree now.
      tree.state = undefined;
    },
  });
  if (!isDone) throw new TypeError("RUN ended without its changes");
  return tree.state = newest;
}

/** Time of change of something made now: by the file system's clock, which is not the system's. */
export function readClock(newDirectory: (name: string) => string) {
  const path = newDirectory("clock");
  using directory = openRoot(path);
  const { ctime, ctimeNsec } = readEntry(directory.fd, "");
  Deno.removeSync(path);
  return { sec: ctime, nsec: ctimeNsec };
}
