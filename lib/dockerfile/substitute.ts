// Variables in operands: `$NAME` and `${NAME}`.

import { ChError } from "../error.ts";

/** Finds a variable's value. */
export type Lookup = (name: string) => string | undefined;

// A dollar after a backslash is none, and the backslash stays (spec dockerfile §4.1).
const VARIABLE = /(?<!\\)\$(?:\{([^{}]*)\}|(\w+))/g;
const MODIFIER = /(?<!\\)\$\{\w+:[-+]/;

/**
 * TEXT with variables replaced, all at once: a value is inserted as it is, even if it has a `$` or a
 * backslash. Unknown names stay as written. Throws a ChError for `${v:-x}` and `${v:+x}`.
 */
export function substituteVariables(text: string, lookup: Lookup): string {
  if (MODIFIER.test(text)) {
    throw new ChError(
      "modifiers ${foo:+bar} and ${foo:-bar} not yet supported (issue #774)",
    );
  }
  return text.replace(VARIABLE, (whole, braced, bare) => lookup(braced ?? bare) ?? whole);
}
