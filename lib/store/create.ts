// Making a new storage directory. It is built beside its place and renamed there when complete: killed
// half-way, the next command finds no storage, and the unfinished one to go on with.

import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { DIRECTORIES, STORE_VERSION, VERSION_FILE } from "./layout.ts";
import { STORAGE_PLACE, StoreLocks } from "./lock.ts";

/** A new storage; undefined if another process was faster. */
export type Created = { readonly lock: Disposable } | undefined;

/** Makes a storage at PATH, which did not exist a moment ago, and holds it; with real locks if LOCK. */
export function createStore(path: string, lock: boolean, log: Log): Created {
  const unfinished = `${path.replace(/\/+$/, "")}.new`;
  makeDirectory(unfinished, path);
  try {
    const locks = new StoreLocks(unfinished, lock);
    // Others who want the same storage are here as well, and as quick.
    const filling = locks.lockBriefly(STORAGE_PLACE);
    fillStore(unfinished);
    // From now on the others may be there too, as soon as it has its name.
    filling[Symbol.dispose]();
    const held = locks.lockBriefly(STORAGE_PLACE, { shared: true });
    try {
      // Replaces neither a file nor a directory that has entries.
      Deno.renameSync(unfinished, path);
    } catch (error) {
      held[Symbol.dispose]();
      Deno.removeSync(unfinished, { recursive: true });
      throw error;
    }
    log.info(`initializing storage directory: v${STORE_VERSION} ${path}`);
    return { lock: held };
  } catch (error) {
    if (isPresent(path)) return undefined;
    throw error;
  }
}

/** Directories and version of an empty storage. Repeatable: what is there already stays. */
export function fillStore(path: string): void {
  for (const name of DIRECTORIES) Deno.mkdirSync(`${path}/${name}`, { recursive: true });
  Deno.writeTextFileSync(`${path}/${VERSION_FILE}`, `${STORE_VERSION}\n`);
}

/** False as well if it is a link to nothing: nothing can be made there then. */
export function isPresent(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** WANTED is the path that messages name. */
function makeDirectory(path: string, wanted: string): void {
  try {
    Deno.mkdirSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    throw new ChError(`can’t mkdir: ${wanted}`, { cause: error });
  }
}
