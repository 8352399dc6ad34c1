// The lock on a storage directory (spec ch-image §4.4).

import { acquireLock, type FileLock } from "../../ffi/lock.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";
import { LOCK_FILE } from "./layout.ts";

/** Locks the storage directory PATH without waiting. Throws a ChError if somebody else has it. */
export function lockStore(path: string): FileLock {
  try {
    return acquireLock(`${path}/${LOCK_FILE}`);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (isHeld(error)) {
      throw new ChError("storage directory is already in use", {
        hint: "concurrent instances of ch-image cannot share the same storage directory",
      });
    }
    throw new ChError(`can’t lock storage directory: ${path}`, {
      cause: error,
      hint: "use --no-lock where the file system has no locks",
    });
  }
}

/** Which of the two it is depends on the file system. */
function isHeld(error: SystemError): boolean {
  return error.call.startsWith("fcntl") && (error.code === "EAGAIN" || error.code === "EACCES");
}
