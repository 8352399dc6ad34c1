// One file as the output of a conversion.

import { displayOsString } from "../../ffi/os_string.ts";
import { OutputFile } from "../../ffi/output_file.ts";
import { isSystemError, SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";

/** Writes CHUNKS to PATH, replacing what is there unless NO_CLOBBER. If it throws, nothing has changed. */
export async function writeFile(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  noClobber: boolean,
): Promise<void> {
  try {
    using file = new OutputFile(path, noClobber);
    for await (const chunk of chunks) await file.write(chunk);
    await file.commit();
  } catch (error) {
    throw explainWriting(error, path);
  }
}

/** What can go wrong at the end, when somebody else was there first, as at the beginning. */
export function explainWriting(error: unknown, path: string): unknown {
  const cause = error instanceof ChError ? error.cause : error;
  if (isSystemError(cause, "EEXIST")) return existsAlready(path);
  if (!(error instanceof SystemError)) return error;
  return new ChError(`can’t write: ${displayOsString(path)}`, { cause: error });
}

export function existsAlready(path: string): ChError {
  return new ChError(`exists, not deleting per --no-clobber: ${displayOsString(path)}`);
}
