// What is known of an image in storage, as data for programs.

import { openRoot } from "../../ffi/tree.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { type ImageReference, mangleReference } from "../reference/reference.ts";
import { measureImage } from "../store/measure_image.ts";
import { readMetadata } from "../store/metadata_files.ts";
import type { Store } from "../store/store.ts";
import { findPlacedState } from "./image_directory.ts";
import { findState, identifyState } from "./state_files.ts";
import { formatSid } from "./state_id.ts";

/** What costs little to find out. */
export function summarizeImage(store: Store, reference: ImageReference) {
  const state = findPlacedState(store, mangleReference(reference.text));
  return {
    name: reference.text,
    path: store.imagePath(reference),
    modified: store.findChangeTime(reference.text)?.toISOString() ?? null,
    commit: state === undefined ? null : identifyState(state),
  };
}

/** All of it: looks at each file. Throws a ChError if there is no such image. */
export function inspectImage(store: Store, reference: ImageReference, log: Log) {
  if (!store.hasImage(reference)) throw new ChError(`image not found: ${reference.text}`);
  const path = store.imagePath(reference);
  const placed = findPlacedState(store, mangleReference(reference.text));
  const state = placed === undefined ? undefined : findState(store, placed);
  using root = openRoot(path);
  const { history, arch, ...config } = readMetadata(root.fd, path, log);
  return {
    ...summarizeImage(store, reference),
    stateId: state === undefined ? null : formatSid(state.sid),
    instruction: state?.label ?? null,
    digest: state === undefined ? null : `sha256:${state.tree}`,
    architecture: arch,
    size: measureImage(path, placed !== undefined),
    config,
    history,
  };
}
