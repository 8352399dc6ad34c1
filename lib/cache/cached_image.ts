// Where the build cache stands with an image of one name, for people.

import type { Log } from "../log/log.ts";
import { type ImageReference, mangleReference } from "../reference/reference.ts";
import type { Store } from "../store/store.ts";
import { findPlacedState } from "./image_directory.ts";
import { NAMES } from "./layout.ts";
import { findRecord } from "./names.ts";
import { hasState, identifyState, isStateName, sidOf } from "./state_files.ts";

/** E.g. "yes (state ID 4A6F, commit 1234567)"; warns if the image's directory is something else. */
export function describeCached(store: Store, reference: ImageReference, log: Log): string {
  const name = mangleReference(reference.text);
  const record = findRecord(store, NAMES, name);
  if (record === undefined || !isStateName(record.state) || !hasState(store, record.state)) {
    return "no";
  }
  const id = identifyState(record.state).slice(0, 7);
  if (store.hasImage(reference)) {
    const placed = findPlacedState(store, name);
    if (placed === undefined) log.warning("stored image not connected to build cache");
    else if (placed !== record.state) {
      log.warning(`stored image doesn’t match build cache: ${id}`);
    }
  }
  return `yes (state ID ${sidOf(record.state).slice(0, 4)}, commit ${id})`;
}
