// The storage directory's lock: kept by one process at a time, gone with the process at the latest.

import { openLibrary } from "./library.ts";
import { encodeCString } from "./os_string.ts";
import { LOCK } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";

let library: ReturnType<typeof openLibrary<typeof LOCK>> | undefined;

function openLock() {
  return library ??= openLibrary(LOCK);
}

/** A lock that is held; released by dispose, at the latest when the process ends. */
export class FileLock implements Disposable {
  #fd: number | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  [Symbol.dispose](): void {
    if (this.#fd === undefined) return;
    openLock().ch_lock_release(this.#fd, newErrorBlock());
    this.#fd = undefined;
  }
}

/**
 * Locks the file PATH exclusively, without waiting. Throws a SystemError, EAGAIN or EACCES if another
 * process holds the lock. Any other descriptor of the file that this process closes ends the lock.
 */
export function acquireLock(path: string): FileLock {
  const error = newErrorBlock();
  const fd = checkResult(openLock().ch_lock_acquire(encodeCString(path), error), error);
  return new FileLock(fd);
}
