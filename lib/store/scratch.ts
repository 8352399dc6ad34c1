// Private directories below the storage's scratch directory, on the same file system as the images.
// What a killed command left there is removed when the storage is opened next.

import { SystemError } from "../../ffi/system_error.ts";
import { removeTree } from "../../ffi/tree_change.ts";
import type { Log } from "../log/log.ts";
import { SCRATCH } from "./layout.ts";

/** How long to wait for processes that are still writing where we delete: 20 times 50 ms. */
const ATTEMPTS = 20;
const PAUSE = 50;

/** One directory, empty at first; dispose removes it with all that is in it. */
export class Scratch implements Disposable {
  /** Relative to the storage directory. */
  readonly name: string;
  #isOpen = true;

  constructor(readonly storePath: string, readonly storeFd: number, readonly log: Log) {
    this.name = makeNumbered(storePath);
  }

  get path(): string {
    return `${this.storePath}/${this.name}`;
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      removeStubborn(this.storeFd, this.name);
      Deno.removeSync(`${this.storePath}/${SCRATCH}`);
    } catch (error) {
      // Not empty: another scratch directory is open. Else it will be removed when next opened.
      this.log.debug(`scratch directory stays: ${this.name}: ${error}`);
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

/** Numbered, so that several can be open, also of commands that do not lock. */
function makeNumbered(storePath: string): string {
  Deno.mkdirSync(`${storePath}/${SCRATCH}`, { recursive: true });
  for (let number = 1;; number++) {
    const name = `${SCRATCH}/${number}`;
    try {
      Deno.mkdirSync(`${storePath}/${name}`, { mode: 0o700 });
      return name;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}
