// The download cache: what registries sent, by digest or name, and blobs still on their way, which a
// later command goes on with (spec ch-image §10).

import { type FileLock, tryAcquireLock } from "../../ffi/lock.ts";
import { ChError } from "../error.ts";
import { DOWNLOADS } from "./layout.ts";
import { removeIfThere } from "./remove_if_there.ts";

const PARTIAL = "part_";
const LOCK = "lock_";

/** To write a file that others remove. */
const ATTEMPTS = 10;

/** How often to look whether another process is done. */
const INTERVAL = 100;

/** Whether a file of the cache is the beginning of a blob, and of use to the next who wants it. */
export function isResumable(name: string): boolean {
  return /^part_[0-9a-f]{64}\.(tar\.gz|json)$/.test(name);
}

export class Downloads {
  constructor(readonly storePath: string) {}

  pathOf(name: string): string {
    return `${this.storePath}/${DOWNLOADS}/${name}`;
  }

  partialPathOf(name: string): string {
    return this.pathOf(PARTIAL + name);
  }

  /** Whether the whole of NAME is there, of SIZE bytes if that is known. */
  has(name: string, size: number | undefined): boolean {
    try {
      const found = Deno.statSync(this.pathOf(name));
      return found.isFile && (size === undefined || found.size === size);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  read(name: string): Uint8Array {
    return Deno.readFileSync(this.pathOf(name));
  }

  /** Replaces NAME in one step. */
  write(name: string, bytes: Uint8Array): void {
    this.#put(name, (fresh) => Deno.writeFileSync(fresh, bytes, { createNew: true }));
  }

  /** NAME becomes a link to TARGET beside it. */
  link(name: string, target: string): void {
    this.#put(name, (fresh) => Deno.symlinkSync(target, fresh));
  }

  /** Another command that opens the storage between the two steps takes the file for left over, and
   * removes it: then it is made again. */
  #put(name: string, make: (path: string) => void): void {
    const path = this.pathOf(name);
    for (let attempt = 1;; attempt++) {
      const fresh = this.partialPathOf(crypto.randomUUID());
      try {
        make(fresh);
        return Deno.renameSync(fresh, path);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound && attempt < ATTEMPTS) continue;
        removeIfThere(fresh);
        throw new ChError(`can’t write: ${path}`, { cause: error });
      }
    }
  }

  /**
   * Keeps other processes from downloading NAME, waiting while one does: what it has got is there then.
   * ON_WAIT is called once if there is something to wait for.
   */
  async lock(name: string, signal: AbortSignal | undefined, onWait: () => void): Promise<FileLock> {
    const path = this.pathOf(LOCK + name);
    for (let isFirst = true;; isFirst = false) {
      signal?.throwIfAborted();
      const lock = tryLock(path);
      // Who held it before may have removed the file that we have just locked.
      if (lock?.isAt(path)) return lock;
      lock?.[Symbol.dispose]();
      if (lock !== undefined) continue;
      if (isFirst) onWait();
      await new Promise((done) => setTimeout(done, INTERVAL));
    }
  }

  /** NAME is all there: what stood beside it is not needed any more. To be called with its lock held. */
  complete(name: string): void {
    Deno.renameSync(this.partialPathOf(name), this.pathOf(name));
  }

  /** To be called with the lock still held, as the last thing. */
  removeLockFile(name: string): void {
    removeIfThere(this.pathOf(LOCK + name));
  }

  /** FILE, one of the cache's, if it is a lock file of a command that was killed. */
  removeIdleLockFile(file: string): void {
    if (!file.startsWith(LOCK)) return;
    const path = this.pathOf(file);
    using lock = tryLock(path);
    if (lock?.isAt(path)) removeIfThere(path);
  }

  /** What there is of NAME is of no use. */
  discard(name: string): void {
    removeIfThere(this.partialPathOf(name));
  }
}

function tryLock(path: string): FileLock | undefined {
  try {
    return tryAcquireLock(path);
  } catch (error) {
    throw new ChError(`can’t lock: ${path}`, { cause: error });
  }
}
