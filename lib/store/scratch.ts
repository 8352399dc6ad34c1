// Private directories below the storage's scratch directory, on the same file system as the images. Each
// has its owner's lock; those without are of killed commands, and removed when the storage is opened.

import { SystemError } from "../../ffi/system_error.ts";
import { removeTree } from "../../ffi/tree_change.ts";
import type { Log } from "../log/log.ts";
import { SCRATCH } from "./layout.ts";
import { placeOfScratch, type StoreLocks } from "./lock.ts";

/** How long to wait for processes that are still writing where we delete: 20 times 50 ms. */
const ATTEMPTS = 20;
const PAUSE = 50;

/** The storage directory that scratch directories are in. */
export interface ScratchPlace {
  readonly path: string;
  readonly fd: number;
  readonly locks: StoreLocks;
  readonly log: Log;
}

/** One directory, empty at first; dispose removes it with all that is in it. */
export class Scratch implements Disposable {
  /** Relative to the storage directory. */
  readonly name: string;
  readonly #lock: Disposable;
  #isOpen = true;

  constructor(readonly place: ScratchPlace) {
    const { name, lock } = makeNumbered(place);
    this.name = name;
    this.#lock = lock;
  }

  get path(): string {
    return `${this.place.path}/${this.name}`;
  }

  /** It is left to the commands to come, as if this one had been killed. */
  leave(): void {
    this.#isOpen = false;
    this.#lock[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      removeStubborn(this.place.fd, this.name);
      Deno.removeSync(`${this.place.path}/${SCRATCH}`);
    } catch (error) {
      // Not empty: another scratch directory is open. Else it will be removed when next opened.
      this.place.log.debug(`scratch directory stays: ${this.name}: ${error}`);
    } finally {
      this.#lock[Symbol.dispose]();
    }
  }
}

/** Removes the tree NAME of the storage, where processes of a killed command may be writing still. */
export function removeStubborn(storeFd: number, name: string): void {
  for (let attempt = 1;; attempt++) {
    try {
      return removeTree(storeFd, name);
    } catch (error) {
      const isBusy = error instanceof SystemError && error.code === "ENOTEMPTY";
      if (!isBusy || attempt === ATTEMPTS) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
  }
}

/** Locked before it is made, so that nobody takes it for left over. */
function makeNumbered({ path, locks }: ScratchPlace) {
  for (let number = 1;; number++) {
    const lock = locks.tryLock(placeOfScratch(number));
    if (lock === undefined) continue;
    const name = `${SCRATCH}/${number}`;
    if (tryMake(`${path}/${SCRATCH}`, `${path}/${name}`)) return { name, lock };
    lock[Symbol.dispose]();
  }
}

/** False if it is there already. */
function tryMake(parent: string, path: string): boolean {
  for (;;) {
    Deno.mkdirSync(parent, { recursive: true });
    try {
      Deno.mkdirSync(path, { mode: 0o700 });
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      // Another command has just removed the parent, because it was empty.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
