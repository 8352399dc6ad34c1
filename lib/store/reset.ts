// Emptying a storage directory, of whatever version (spec ch-image §14.8). In place, and so that it can
// always be recognized as one: killed half-way, it can be reset again.

import { SystemError } from "../../ffi/system_error.ts";
import { findEntry, listDirectory, openRoot } from "../../ffi/tree.ts";
import { makeDirectory } from "../../ffi/tree_change.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { fillStore } from "./create.ts";
import { DIRECTORIES, DOWNLOADS, IMAGES, LOCK_FILE, SCRATCH, STORE_VERSION } from "./layout.ts";
import { lockStore, StoreLocks } from "./lock.ts";
import { replaceEntry, withdrawEntry } from "./replace.ts";
import { removeStubborn, Scratch } from "./scratch.ts";
import type { StoreOptions } from "./store.ts";

/** Leaves an empty storage directory. Throws a ChError if PATH is none. */
export function resetStore(path: string, options: StoreOptions, log: Log): void {
  if (!isStore(path)) throw new ChError(`${path} not a builder storage`);
  using root = openRoot(path);
  const locks = new StoreLocks(path, options.lock);
  using _lock = lockStore(locks, {});
  log.info(`initializing storage directory: v${STORE_VERSION} ${path}`);
  removeStubborn(root.fd, SCRATCH);
  using scratch = new Scratch({ path, fd: root.fd, locks, log });
  for (const { name, type } of listDirectory(root.fd)) {
    if (name === SCRATCH || name === LOCK_FILE) continue;
    const isOurs = type === "directory" && DIRECTORIES.some((directory) => directory === name);
    const target = `${scratch.name}/${name}`;
    if (!isOurs) {
      withdrawEntry(root.fd, name, target);
      continue;
    }
    makeDirectory(root.fd, target, 0o755);
    replaceEntry(root.fd, target, name, `${target}.old`);
  }
  fillStore(path);
}

function isStore(path: string): boolean {
  try {
    using root = openRoot(path);
    return findEntry(root.fd, IMAGES) !== undefined && findEntry(root.fd, DOWNLOADS) !== undefined;
  } catch (error) {
    if (error instanceof SystemError && ["ENOENT", "ENOTDIR"].includes(error.code)) return false;
    throw error;
  }
}
