// The states that led to an image.

import type { Store } from "../store/store.ts";
import { NAMES, UNREADY } from "./layout.ts";
import { findRecord } from "./names.ts";
import { findState, type StoredState } from "./state_files.ts";

/** STATE and those before it, the newest first. Ends where one is missing or damaged. */
export function* walkHistory(store: Store, name: string): Generator<StoredState, void, void> {
  for (let next: string | undefined = name; next !== undefined;) {
    let state: StoredState | undefined;
    try {
      state = findState(store, next);
    } catch {
      return;
    }
    if (state === undefined) return;
    yield state;
    next = state.parent;
  }
}

/** Names of the states in the history of the image NAME (mangled), finished or not. */
export function listHistory(store: Store, name: string): string[] {
  return ([NAMES, UNREADY] as const).flatMap((kind) => {
    const record = findRecord(store, kind, name);
    return record === undefined ? [] : Array.from(walkHistory(store, record.state), (s) => s.name);
  });
}
