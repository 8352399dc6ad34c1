// The states that led to an image.

import type { Store } from "../store/store.ts";
import { NAMES, UNREADY } from "./layout.ts";
import { findRecord } from "./names.ts";
import { findState, sequenceOf, type StoredState } from "./state_files.ts";

/** STATE and those before it, the newest first. Ends where one is missing or damaged. */
export function* walkHistory(store: Store, name: string): Generator<StoredState, void, void> {
  for (let next: string | undefined = name; next !== undefined;) {
    const state = findIntact(store, next);
    if (state === undefined) return;
    yield state;
    next = state.parent;
  }
}

function findIntact(store: Store, name: string): StoredState | undefined {
  try {
    return findState(store, name);
  } catch {
    return undefined;
  }
}

/** Names of the states in the history of the image NAME (mangled), finished or not. */
export function listHistory(store: Store, name: string): string[] {
  return ([NAMES, UNREADY] as const).flatMap((kind) => {
    const record = findRecord(store, kind, name);
    return record === undefined ? [] : Array.from(walkHistory(store, record.state), (s) => s.name);
  });
}

/** How many steps of descent are between two states; undefined if they have no ancestor in common. */
export function countSteps(store: Store, one: string, other: string): number | undefined {
  for (let steps = 0;; steps++) {
    if (one === other) return steps;
    // What a state was made from is older than it.
    if (sequenceOf(one) < sequenceOf(other)) [one, other] = [other, one];
    const parent = findIntact(store, one)?.parent;
    if (parent === undefined) return undefined;
    one = parent;
  }
}
