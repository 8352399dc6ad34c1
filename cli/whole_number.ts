// Numbers on the command line and in variables.

import { ChError } from "../lib/error.ts";

/** NAME is that of the option or variable that TEXT was given with. Throws a ChError. */
export function parseWholeNumber(text: string, name: string): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new ChError(`not a whole number: ${name}=${text}`);
}
