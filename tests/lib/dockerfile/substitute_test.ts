// Variables in operands.

import { strictEqual, throws } from "node:assert/strict";
import { CHARLIECLOUD } from "../../../lib/dockerfile/dialect.ts";
import { substituteInText, substituteVariables } from "../../../lib/dockerfile/substitute.ts";
import { ChError } from "../../../lib/error.ts";

const VARIABLES = new Map(
  Object.entries({ A: "1", AB: "2", dollar: "$A", group: "\\1 $& $1", e: "", path: "a/b/c.d" }),
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
  ["${A-x} ${A:-x} ${undef-x} ${undef:-x} ${e-x}|${e:-x}", "1 1 x x |x"],
  ["${A+x} ${A:+x} ${undef+x}|${undef:+x}|${e+x}|${e:+x}|", "x x ||x||"],
  ["${undef:-${A}} ${undef:-${undef:-$AB}}", "1 2"],
  ["${A?x} ${A:?x}", "1 1"],
  ["${path#*/} ${path##*/} ${path%/*} ${path%%/*}", "b/c.d c.d a/b a"],
  ["${path#x} ${path%.?} ${path%\\*}", "a/b/c.d a/b/c a/b/c.d"],
  ["${path/b/X} ${path//[/]/-} ${path//\\//-} ${path/*b/$A}", "a/X/c.d a/b/c.d a-b-c.d 1/c.d"],
  ["${undef#x} ${undef%x}", "${undef#x} ${undef%x}"],
  ["${A!x} ${A", "${A!x} ${A"],
  ["$A_", "$A_"],
  ["$$A", "$1"],
];

for (const [text, expected] of CASES) {
  Deno.test(`substituteVariables() of ${text}`, () => {
    strictEqual(substituteVariables(text, (name) => VARIABLES.get(name)), expected);
  });
}

/** In Docker's rules. */
const DOCKER_CASES: readonly (readonly [string, string])[] = [
  ["$A ${undef}|$undef", "1 |"],
  ["\\$A \\\\", "$A \\"],
  ["'$A'\"$A\"", "$A1"],
  ['"a\\"b\\c"', 'a"b\\c'],
  ["a\\ b", "a b"],
  ["${undef#x}", ""],
];

for (const [text, expected] of DOCKER_CASES) {
  Deno.test(`substituteVariables() of ${text} as Docker`, () => {
    const dialect = { ...CHARLIECLOUD, rules: "docker" } as const;
    strictEqual(substituteVariables(text, (name) => VARIABLES.get(name), dialect), expected);
  });
}

const REFUSED: readonly (readonly [string, string])[] = [
  ["${undef:?}", "undef: not set"],
  ["${undef?no $A}", "undef: no 1"],
  ["${e:?empty}", "e: empty"],
];

for (const [text, message] of REFUSED) {
  Deno.test(`substituteVariables() refuses ${text}`, () => {
    throws(() => substituteVariables(text, (name) => VARIABLES.get(name)), { message });
  });
}

for (const text of ["${A", "${A!x}", "${}", "'x", '"x']) {
  Deno.test(`substituteVariables() refuses ${text} as Docker`, () => {
    const dialect = { ...CHARLIECLOUD, rules: "docker" } as const;
    throws(() => substituteVariables(text, () => "1", dialect), ChError);
    strictEqual(substituteVariables(text, () => "1"), text);
  });
}

Deno.test("substituteInText() leaves quotes alone", () => {
  const text = "\"$A\" '${A}' \\$A \\n ${undef}|";
  strictEqual(
    substituteInText(text, (name) => VARIABLES.get(name), CHARLIECLOUD),
    "\"1\" '1' $A \\n |",
  );
});

Deno.test("substituteVariables() leaves an escaped modifier alone", () => {
  strictEqual(substituteVariables("\\${A:-x}", () => "1"), "\\${A:-x}");
});
