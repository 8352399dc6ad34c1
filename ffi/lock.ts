// Locks on parts of a file: kept by one process at a time or by several that share it, gone with the
// process at the latest.

import { openLightLibrary } from "./light_library.ts";
import { encodeCString } from "./os_string.ts";
import { LOCK } from "./symbols.ts";
import { checkResult, newErrorBlock, SystemError } from "./system_error.ts";

let library: ReturnType<typeof openLightLibrary<typeof LOCK>> | undefined;

function openLock() {
  return library ??= openLightLibrary(LOCK);
}

/** A lock that is held; released by dispose, at the latest when the process ends. */
export class FileLock implements Disposable {
  #fd: number | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Whether PATH is still the file that is locked: another process may have removed that, and a third one made
   * it anew. */
  isAt(path: string): boolean {
    try {
      const there = Deno.lstatSync(path);
      const locked = Deno.statSync(`/proc/self/fd/${this.#fd}`);
      return there.ino === locked.ino && there.dev === locked.dev;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd === undefined) return;
    openLock().ch_lock_release(this.#fd, newErrorBlock());
    this.#fd = undefined;
  }
}

/**
 * Locks the byte at OFFSET of the file PATH, which is made if need be, without waiting. Throws a
 * SystemError, EAGAIN or EACCES if another lock stands against it, be it of this process.
 */
export function acquireLock(
  path: string,
  offset = 0n,
  { shared = false }: { readonly shared?: boolean } = {},
): FileLock {
  const error = newErrorBlock();
  const result = openLock().ch_lock_acquire(encodeCString(path), offset, shared ? 1 : 0, error);
  return new FileLock(checkResult(result, error));
}

/** As {@linkcode acquireLock}, but undefined if another lock stands against it. */
export function tryAcquireLock(...args: Parameters<typeof acquireLock>): FileLock | undefined {
  try {
    return acquireLock(...args);
  } catch (error) {
    // Opening the file may fail with EACCES, too.
    const isHeld = error instanceof SystemError && error.call.startsWith("fcntl") &&
      ["EAGAIN", "EACCES"].includes(error.code);
    if (isHeld) return undefined;
    throw error;
  }
}
