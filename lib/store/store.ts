// The storage directory: opening it as spec ch-image §4.3 has it, and the images in it.

import type { Descriptor } from "../../ffi/descriptor.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { findEntry, listDirectory, openDirectory, openRoot } from "../../ffi/tree.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { type ImageReference, mangleReference, unmangleName } from "../reference/reference.ts";
import { checkEntries, checkVersion } from "./check.ts";
import { createStore } from "./create.ts";
import { IMAGES, REPLACED, SCRATCH, STORE_VERSION } from "./layout.ts";
import { lockStore, StoreLocks } from "./lock.ts";
import { removeLeftovers } from "./leftovers.ts";
import { ImageTransaction } from "./transaction.ts";
import { upgradeStore } from "./upgrade.ts";

export interface StoreOptions {
  /** False for file systems without locks: then commands must come one at a time. */
  readonly lock: boolean;
}

/** An open storage directory, which other commands may have open at the same time. */
export class Store implements Disposable {
  readonly locks: StoreLocks;
  readonly #root: Descriptor;
  readonly #held: Disposable;

  /** HELD: the lock on the storage as a whole. */
  constructor(readonly path: string, readonly log: Log, { lock }: StoreOptions, held: Disposable) {
    this.locks = new StoreLocks(path, lock);
    this.#root = openRoot(path);
    this.#held = held;
  }

  get fd(): number {
    return this.#root.fd;
  }

  /** References of all images, sorted by their mangled names. */
  listImages(): readonly string[] {
    // In this order: an image that comes back meanwhile is seen twice, not never.
    const names = new Set(this.#listReplaced());
    for (const name of this.#listDirectories(IMAGES)) names.add(name);
    for (const name of this.#listReplaced()) names.add(name);
    return [...names].sort().map(unmangleName);
  }

  /** Names of images that are out of sight while another takes their place. */
  #listReplaced(): readonly string[] {
    return this.#listDirectories(SCRATCH)
      .flatMap((scratch) => this.#listDirectories(`${SCRATCH}/${scratch}/${REPLACED}`));
  }

  #listDirectories(path: string): readonly string[] {
    try {
      using directory = openDirectory(this.fd, path);
      return listDirectory(directory.fd).flatMap(({ name, type }) =>
        type === "directory" ? [name] : []
      );
    } catch (error) {
      if (error instanceof SystemError && error.code === "ENOENT") return [];
      throw error;
    }
  }

  /** Where the image of that name is, or would be. */
  imagePath(reference: ImageReference): string {
    return `${this.path}/${IMAGES}/${mangleReference(reference.text)}`;
  }

  hasImage(reference: ImageReference): boolean {
    const path = `${IMAGES}/${mangleReference(reference.text)}`;
    return findEntry(this.fd, path)?.type === "directory";
  }

  /** When an image's metadata was last changed. */
  findChangeTime(image: string): Date | undefined {
    const path = `${IMAGES}/${mangleReference(image)}/ch/metadata.json`;
    const entry = findEntry(this.fd, path);
    return entry === undefined ? undefined : new Date(entry.ctime * 1000);
  }

  /** Begins an image of that name; nobody sees it before it is committed. */
  newImage(reference: ImageReference): ImageTransaction {
    return new ImageTransaction(reference, this);
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
    this.#held[Symbol.dispose]();
  }
}

/**
 * Opens the storage directory PATH; makes it if there is nothing. Removes what killed commands left.
 * Throws a ChError if it is in use, broken, or no storage directory of this version.
 */
export function openStore(path: string, options: StoreOptions, log: Log): Store {
  if (!isDirectory(path)) {
    const created = createStore(path, options.lock, log);
    if (created !== undefined) return new Store(path, log, options, created.lock);
  }
  const version = checkVersion(path);
  const locks = new StoreLocks(path, options.lock);
  if (version !== STORE_VERSION) upgradeStore(path, locks, log);
  log.verbose(`found storage dir v${STORE_VERSION}: ${path}`);
  const store = new Store(path, log, options, lockStore(locks, { shared: true }));
  try {
    // Without locks, what looks left over may be another command's.
    if (options.lock) removeLeftovers(store);
    checkEntries(path);
    return store;
  } catch (error) {
    store[Symbol.dispose]();
    throw error;
  }
}

function isDirectory(path: string): boolean {
  try {
    if (Deno.statSync(path).isDirectory) return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && !isLink(path)) return false;
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new ChError(`can’t open storage directory: ${path}`, { cause: error });
    }
  }
  throw new ChError(`can’t mkdir: exists and not a directory: ${path}`);
}

function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
