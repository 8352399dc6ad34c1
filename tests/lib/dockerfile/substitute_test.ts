// Variables in operands.

import { strictEqual, throws } from "node:assert/strict";
import { substituteVariables } from "../../../lib/dockerfile/substitute.ts";

const VARIABLES = new Map(
  Object.entries({ A: "1", AB: "2", dollar: "$A", group: "\\1 $& $1", e: "" }),
);

const CASES: readonly (readonly [string, string])[] = [
  ["$A", "1"],
  ["${A}", "1"],
  ["$AB ${A}B", "2 1B"],
  ["$A-$A.$A/", "1-1.1/"],
  ["x$e|", "x|"],
  ["$undef ${undef}q $", "$undef ${undef}q $"],
  ["\\$A", "\\$A"],
  ["\\${A}", "\\${A}"],
  ["$dollar", "$A"],
  ["$group", "\\1 $& $1"],
  ["${A-x} ${A%x}", "${A-x} ${A%x}"],
  ["$A_", "$A_"],
  ["$$A", "$1"],
];

for (const [text, expected] of CASES) {
  Deno.test(`substituteVariables() of ${text}`, () => {
    strictEqual(substituteVariables(text, (name) => VARIABLES.get(name)), expected);
  });
}

for (const text of ["${A:-x}", "${undef:+x}", "a ${A:-${A}}"]) {
  Deno.test(`substituteVariables() refuses ${text}`, () => {
    throws(() => substituteVariables(text, () => undefined), {
      message: "modifiers ${foo:+bar} and ${foo:-bar} not yet supported (issue #774)",
    });
  });
}

Deno.test("substituteVariables() leaves an escaped modifier alone", () => {
  strictEqual(substituteVariables("\\${A:-x}", () => "1"), "\\${A:-x}");
});
