// Errors as one line for people: what failed, then the reasons that its causes give.

import { findSourcePlace } from "./source_place.ts";
import { describeErrno } from "../ffi/errno.ts";
import { SystemError } from "../ffi/system_error.ts";
import { ChError } from "../lib/error.ts";

/** What to do where $USER is not set, as in containers of CI. */
export const USER_REMEDY = 'type "export USER=$(id -un)" first';

/** An error that tells the user something; any other is a mistake in the program. */
export function isExpected(error: unknown): error is Error {
  return error instanceof ChError || error instanceof SystemError ||
    findOsError(error) !== undefined;
}

/** `what: reason`, as deep as the causes go. */
export function describeError(error: unknown): string {
  const osError = findOsError(error);
  if (osError !== undefined) {
    return `can’t ${osError.call}: ${withPath(osError.path, osError.reason)}`;
  }
  if (error instanceof SystemError) {
    return `can’t ${error.call}: ${withPath(error.path, error.message)}`;
  }
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined
    ? error.message
    : `${error.message}: ${describeCause(error.cause, error.message)}`;
}

/** Where it happened, innermost first, on one line. */
export function traceError(error: unknown): string {
  const places: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    const frames = (at.stack ?? "").split("\n").flatMap((frame) => {
      const place = findSourcePlace(frame);
      return place === undefined ? [] : [`${place.file}:${place.line}`];
    });
    const system = at instanceof SystemError
      ? [`${at.call} ${at.file}:${at.line} ${at.errno}`]
      : [];
    places.unshift(...system, ...frames);
  }
  return places.join(" < ");
}

/** A cause whose path the message above has named already is just a reason. */
function describeCause(cause: unknown, above: string): string {
  const osError = findOsError(cause);
  const isNamed = (path: string) => path === "" || above.includes(path);
  if (osError !== undefined) {
    return isNamed(osError.path) ? osError.reason : withPath(osError.path, osError.reason);
  }
  if (cause instanceof SystemError) {
    // Without an errno the path holds a library's own words.
    return cause.errno === 0 || isNamed(cause.path)
      ? cause.message
      : withPath(cause.path, cause.message);
  }
  return describeError(cause);
}

function withPath(path: string, reason: string): string {
  return path === "" ? reason : `${path}: ${reason}`;
}

interface OsError {
  readonly call: string;
  readonly path: string;
  readonly reason: string;
}

/** What Deno's own file functions throw: `REASON (os error N): CALL 'PATH'`. Some have no class of their
 * own, such as "No space left on device". */
function findOsError(error: unknown): OsError | undefined {
  if (!(error instanceof Error)) return undefined;
  const isNamed = error.name in Deno.errors;
  if (!isNamed && error.name !== "Error") return undefined;
  const match = /^.* \(os error (\d+)\)(?:: (\w+) '(.*?)'.*)?$/s.exec(error.message);
  if (match === null && !isNamed) return undefined;
  if (match === null) return { call: "access", path: "", reason: error.message };
  const [, errno, call = "access", path = ""] = match;
  return { call: call.replace(/file$/, ""), path, reason: describeErrno(Number(errno)) };
}
