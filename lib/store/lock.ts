// Locks within a storage directory: bytes of its lock file, each standing for something. They end with
// the process at the latest, so that nothing is left of a killed command. Commands share the storage; they
// wait for one another only where they want to write the same thing.

import { tryAcquireLock } from "../../ffi/lock.ts";
import { encodeOsString } from "../../ffi/os_string.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";
import { LOCK_FILE } from "./layout.ts";

/** Something that can be locked. */
export type LockPlace = bigint & { readonly __place: never };

/** The storage directory itself: shared by all commands, exclusive to empty it. */
export const STORAGE_PLACE = 0n as LockPlace;
/** The build cache: shared to add to it, exclusive to remove from it. */
export const CACHE_PLACE = 1n as LockPlace;
/** The number of the newest state. */
export const SEQUENCE_PLACE = 2n as LockPlace;

/** The owner of a scratch directory. */
export function placeOfScratch(number: number): LockPlace {
  return (1n << 32n) + BigInt(number) as LockPlace;
}

/**
 * `build`: making an image of that name, from beginning to end. `image`: the image's directory, exclusive
 * to replace it, shared to read all of it. `blob`: a file that is being downloaded.
 */
export type NamedPlace = "build" | "image" | "blob";

const NAMED: Readonly<Record<NamedPlace, bigint>> = { build: 1n, image: 2n, blob: 3n };

/** NAME is any text. Two names with the same place would only wait for one another. */
export function placeOf(kind: NamedPlace, name: string): LockPlace {
  // FNV-1a, 64 bits.
  let hash = 0xcbf29ce484222325n;
  for (const byte of encodeOsString(name)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return (NAMED[kind] << 48n) + (hash >> 16n) as LockPlace;
}

export interface LockOptions {
  readonly shared?: boolean;
}

export interface WaitOptions extends LockOptions {
  /** Ends the waiting; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Called once if there is something to wait for. */
  readonly onWait?: () => void;
}

/** Milliseconds between attempts: at first and at last. */
const FIRST_PAUSE = 2, LONGEST_PAUSE = 50;

/** The locks of one storage directory. Not ENABLED: for file systems without locks; all succeed. */
export class StoreLocks {
  constructor(readonly path: string, readonly enabled: boolean) {}

  /** Undefined if another lock stands against it. Throws a ChError if there can be no locks. */
  tryLock(place: LockPlace, { shared = false }: LockOptions = {}): Disposable | undefined {
    if (!this.enabled) return NO_LOCK;
    try {
      return tryAcquireLock(`${this.path}/${LOCK_FILE}`, place, { shared });
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      throw new ChError(`can’t lock storage directory: ${this.path}`, {
        cause: error,
        hint: "use --no-lock where the file system has no locks, and one command at a time",
      });
    }
  }

  /** Waits for the lock. */
  async lock(
    place: LockPlace,
    { shared = false, signal, onWait }: WaitOptions = {},
  ): Promise<Disposable> {
    for (let pause = FIRST_PAUSE;; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      signal?.throwIfAborted();
      const lock = this.tryLock(place, { shared });
      if (lock !== undefined) return lock;
      if (pause === FIRST_PAUSE * 2) onWait?.();
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /** Waits for a lock that is never held for long, without letting anything else happen. */
  lockBriefly(place: LockPlace, options: LockOptions = {}): Disposable {
    for (;;) {
      const lock = this.tryLock(place, options);
      if (lock !== undefined) return lock;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FIRST_PAUSE);
    }
  }
}

const NO_LOCK: Disposable = { [Symbol.dispose]: () => {} };

/** Locks the storage directory PATH as a whole. Throws a ChError if somebody stands against it. */
export function lockStore(locks: StoreLocks, options: LockOptions): Disposable {
  const lock = locks.tryLock(STORAGE_PLACE, options);
  if (lock !== undefined) return lock;
  throw new ChError("storage directory is already in use", {
    hint: options.shared
      ? "“ch-image reset” or an older ch-image is using it; wait until that is done"
      : "wait until the other ch-image commands are done",
  });
}
