// All states of the build cache with their descent and their names, for what shows or collects them.

import type { Store } from "../store/store.ts";
import { NAMES, UNREADY } from "./layout.ts";
import { findRecord, listRecords, type RecordKind } from "./names.ts";
import { findState, listStates, type StoredState } from "./state_files.ts";
import { ROOT_SID } from "./state_id.ts";

export interface GraphState extends Pick<StoredState, "name" | "label" | "sid" | "sequence"> {
  /** Seconds since 1970. */
  readonly time: number;
  /** As they are shown, in reverse lexical order; `NAME#` is one of a build that is not finished. */
  readonly names: readonly string[];
  /** The newest first. */
  readonly children: readonly GraphState[];
}

export interface Graph {
  readonly root: GraphState;
  /** In the order in which they were made. */
  readonly states: readonly GraphState[];
  /** Names of the states whose files are damaged. */
  readonly damaged: readonly string[];
}

type Growing = GraphState & { readonly names: string[]; readonly children: GraphState[] };

export function readGraph(store: Store): Graph {
  const root: Growing = {
    name: "",
    label: "ROOT",
    sid: ROOT_SID,
    sequence: 0,
    time: 0,
    names: ["root"],
    children: [],
  };
  const damaged: string[] = [];
  const states = new Map<string, Growing>();
  for (const name of listStates(store)) {
    try {
      const state = findState(store, name);
      if (state === undefined) continue;
      const { label, sid, sequence, time, parent } = state;
      const grown: Growing = { name, label, sid, sequence, time, names: [], children: [] };
      states.set(name, grown);
      // Parents are older, so they are there already; those of lost ones hang on the root.
      (states.get(parent ?? "") ?? root).children.unshift(grown);
    } catch {
      damaged.push(name);
    }
  }
  addNames(store, NAMES, "", states);
  addNames(store, UNREADY, "#", states);
  for (const { names } of states.values()) names.sort().reverse();
  return { root, states: [...states.values()], damaged };
}

function addNames(
  store: Store,
  kind: RecordKind,
  suffix: string,
  states: ReadonlyMap<string, Growing>,
): void {
  for (const name of listRecords(store, kind)) {
    const record = findRecord(store, kind, name);
    if (record !== undefined) states.get(record.state)?.names.push(name + suffix);
  }
}
