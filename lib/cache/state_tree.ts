// What states consist of, for those who compare images without reading them.

import { type CachedEntry, listCachedTree } from "../../ffi/cache_tree.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { openDirectory } from "../../ffi/tree.ts";
import { CACHE } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import { findStates } from "./state_files.ts";
import { deriveSid, ROOT_SID } from "./state_id.ts";
import type { StateKey } from "./state_store.ts";

/** Everything in the state NAME, directories before what is in them; undefined if the cache does not have
 * it, or not whole. */
export async function listState(
  store: Store,
  name: string,
): Promise<readonly CachedEntry[] | undefined> {
  using directory = openDirectory(store.fd, CACHE);
  try {
    return await listCachedTree(directory.fd, name);
  } catch (error) {
    // Somebody who needs it to be right finds out, and removes it.
    if (error instanceof SystemError && error.code === "EBADMSG") return undefined;
    throw error;
  }
}

/** Name of the newest state that came from outside as KEY says. */
export function findOrigin(store: Store, key: StateKey): string | undefined {
  return findStates(store, deriveSid(ROOT_SID, key))[0];
}
