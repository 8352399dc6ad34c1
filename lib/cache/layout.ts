// What lies in the build cache's directory, which is `bucache` in the storage directory. All writing is by
// new files and rename; nothing is forced to disk, because everything is checked when it is read.

import { CACHE } from "../store/layout.ts";

/** Text: the number of this layout. Made last, so that an unfinished cache is told from a foreign one. */
export const FORMAT_FILE = `${CACHE}/format`;
export const CACHE_FORMAT = 1;

/** Trees of states, in directories by the first two digits of their SIDs (c/shim/cache.h). */
export const STATES = `${CACHE}/states`;
/** Regular files of states (c/shim/cache.h). */
export const OBJECTS = `${CACHE}/objects`;
/** Records by mangled image reference: the state it names; that of a build not finished; that of a
 * deleted image; that which the image's directory holds. */
export const NAMES = `${CACHE}/names`;
export const UNREADY = `${CACHE}/unready`;
export const DELETED = `${CACHE}/deleted`;
export const DIRECTORIES_AT = `${CACHE}/directories`;
/** Trees of states, for builds to begin with (lib/cache/spare_trees.ts). */
export const SPARE_TREES = `${CACHE}/spare`;
/** Text: number of the newest state. */
export const SEQUENCE_FILE = `${CACHE}/sequence`;

export const CACHE_DIRECTORIES: readonly string[] = [
  STATES,
  OBJECTS,
  NAMES,
  UNREADY,
  DELETED,
  DIRECTORIES_AT,
  SPARE_TREES,
];
