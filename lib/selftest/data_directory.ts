// The directories that ch-test fills. They are removed as a whole, so each holds a file that says it may be: what
// lacks that file is somebody's, and is left alone (spec other-tools §3).

import { ChError } from "../error.ts";

const SENTINEL = "WEIRD_AL_YANKOVIC";

/** Makes PATH anew, empty but for the sentinel. Its parent must be there. Throws a ChError. */
export function recreateDataDirectory(path: string): void {
  removeDataDirectory(path);
  try {
    Deno.mkdirSync(path, { mode: 0o700 });
    Deno.writeTextFileSync(
      `${path}/${SENTINEL}`,
      "This directory belongs to ch-test, which deletes it.\n",
    );
  } catch (error) {
    throw new ChError(`can’t make directory: ${path}`, { cause: error });
  }
}

/** Does nothing where there is none. Throws a ChError if it is not ch-test's. */
export function removeDataDirectory(path: string): void {
  const names = listNames(path);
  if (names === undefined) return;
  if (names.length > 0 && !names.includes(SENTINEL)) {
    throw new ChError(`directory is not empty, and not ch-test’s: ${path}`, {
      hint: `name another directory; or remove it yourself, if nobody needs it`,
    });
  }
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    throw new ChError(`can’t remove: ${path}`, { cause: error });
  }
}

function listNames(path: string): readonly string[] | undefined {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new ChError(`can’t read directory: ${path}`, { cause: error });
  }
}
