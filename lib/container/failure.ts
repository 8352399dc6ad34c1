// Failed system calls while planning: what to tell the user.

import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";

/** What CALL returns; if a system call in it fails, a ChError with the message, or with what the
 * message function makes of the failed call, and the hint. */
export function orFail<T>(
  message: string | ((error: SystemError) => string),
  call: () => T,
  hint?: string,
): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const text = typeof message === "string" ? message : message(error);
    throw new ChError(text, { cause: error, ...hint !== undefined && { hint } });
  }
}

/** For reading PATH whole: tells not being able to open from not being able to read. */
export function cannotRead(path: string): (error: SystemError) => string {
  return (error) => `can't ${error.call === "read" ? "read" : "open"}: ${path}`;
}

/** The failure of CALL on a file that must be there and is not. */
export function failMissing(call: string, path: string): never {
  throw new SystemError(call, path, ENOENT, "failure.ts", 0);
}

const ENOENT = 2;
