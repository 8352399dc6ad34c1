// A system call that failed in C: reads struct ch_error (c/error.h) and turns it into an exception.

import { describeErrno, nameErrno } from "./errno.ts";

const ERROR_SIZE = 1024;
const FILE_AT = 8, FILE_SIZE = 40;
const CALL_AT = 48, CALL_SIZE = 48;
const PATH_AT = 96, PATH_SIZE = 928;

/** A failed call: which one, on what, and why. */
export class SystemError extends Error {
  override readonly name = "SystemError";

  constructor(
    /** System call or library function. */
    readonly call: string,
    /** What it was done to; may be empty. */
    readonly path: string,
    /** errno value, 0 if the failure has none. */
    readonly errno: number,
    /** Place in the C source. */
    readonly file: string,
    readonly line: number,
  ) {
    super(errno === 0 ? (path || call) : describeErrno(errno));
  }

  /** Symbolic name, e.g. "ENOENT". */
  get code(): string {
    return nameErrno(this.errno);
  }
}

/** Whether ERROR is a failed call's, with one of CODES, e.g. "ENOENT". */
export function isSystemError(error: unknown, ...codes: readonly string[]): error is SystemError {
  return error instanceof SystemError && codes.includes(error.code);
}

/** A fresh block for a call to fill. One per call that is in flight. */
export function newErrorBlock(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(ERROR_SIZE);
}

/** RESULT itself if it is a value; throws what the block tells otherwise. */
export function checkResult(result: number, block: Uint8Array<ArrayBuffer>): number {
  if (result >= 0) return result;
  throw readSystemError(result, block);
}

export function readSystemError(result: number, block: Uint8Array<ArrayBuffer>): SystemError {
  const view = new DataView(block.buffer);
  const errnum = view.getInt32(0, true);
  return new SystemError(
    readText(block, CALL_AT, CALL_SIZE) || "call",
    readText(block, PATH_AT, PATH_SIZE),
    errnum === 0 && view.getInt32(4, true) === 0 ? -result : errnum,
    readText(block, FILE_AT, FILE_SIZE) || "?",
    view.getInt32(4, true),
  );
}

function readText(block: Uint8Array, at: number, size: number): string {
  const field = block.subarray(at, at + size);
  const end = field.indexOf(0);
  return new TextDecoder().decode(field.subarray(0, end < 0 ? size : end));
}
