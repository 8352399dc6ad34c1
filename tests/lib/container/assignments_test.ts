import assert from "node:assert/strict";
import {
  expandValue,
  parseAssignment,
  parseAssignments,
} from "../../../lib/container/assignments.ts";

// spec ch-run §5.3
const VARIABLES = new Map([["BAR", "bar"], ["CO", "a:b"], ["EMPTY", ""]]);

for (
  const [argument, name, value] of [
    ["X=$BAR", "X", "bar"],
    ["X='$BAR'", "X", "bar"],
    ["X=$BAR:baz", "X", "bar:baz"],
    ["X=${BAR}", "X", ""],
    ["X=baz:$UNSET:qux", "X", "baz:qux"],
    ["X=baz:$EMPTY:qux", "X", "baz:qux"],
    ["X=$BAR baz:qux", "X", "qux"],
    ["X=$UNSET", "X", ""],
    ["X=a$BAR", "X", "a$BAR"],
    ["X=:bar:baz::", "X", ":bar:baz::"],
    ["X=$", "X", "$"],
    ["X=bar:$", "X", "bar:$"],
    ["X=$CO:x", "X", "a:b:x"],
    ["X=foo:$UNSET:", "X", "foo:"],
    ["X=:$UNSET", "X", ""],
    ["X=::$UNSET", "X", ":"],
    ["X=$UNSET::", "X", ":"],
    ["X=''", "X", ""],
    ["X=''''", "X", "''"],
    ['X="q"', "X", '"q"'],
    ["X= 'a' ", "X", " 'a' "],
    ["$F=x", "$F", "x"],
    [" F=x", " F", "x"],
    ["'B=q'", "'B", "q'"],
    ["X='", "X", "'"],
    ["X=a=b", "X", "a=b"],
  ] as const
) {
  Deno.test(`--set-env=${argument} sets ${name} to ${JSON.stringify(value)}`, () => {
    const assignment = parseAssignment(argument, argument);
    assert.equal(assignment.name, name);
    assert.equal(expandValue(assignment.value, (variable) => VARIABLES.get(variable)), value);
  });
}

for (
  const [text, message] of [
    ["FOO", "can't parse variable: no delimiter: here"],
    ["", "can't parse variable: no delimiter: here"],
    ["=x", "can't parse variable: empty name: here"],
  ] as const
) {
  Deno.test(`parseAssignment() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseAssignment(text, "here"), { message });
  });
}

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("parseAssignments() takes lines: blank ones, quotes, #, CR, no final newline", () => {
  const text = "\nA=1\n\n#B='x y'\nC=d\r\nexport E='f\nG=' h '\nI=j";
  assert.deepEqual(
    parseAssignments(encode(text), "\n", "file").map(({ name, value }) => [name, value]),
    [["A", "1"], ["#B", "x y"], ["C", "d\r"], ["export E", "'f"], ["G", " h "], ["I", "j"]],
  );
});

Deno.test("parseAssignments() cuts a line at its first NUL", () => {
  assert.deepEqual(parseAssignments(encode("A=1\0junk\n\0only junk\nB=2"), "\n", "file"), [
    { name: "A", value: "1" },
    { name: "B", value: "2" },
  ]);
});

Deno.test("parseAssignments() keeps newlines between NULs but for one at the end", () => {
  assert.deepEqual(parseAssignments(encode("A=1\n2\n\n\0\0\n\0B=3"), "\0", "file"), [
    { name: "A", value: "1\n2\n" },
    { name: "B", value: "3" },
  ]);
});

Deno.test("parseAssignments() names file and record of a mistake, counting blank records", () => {
  for (
    const [text, message] of [
      ["A=1\n\nBAD\n", "can't parse variable: no delimiter: f:3"],
      ["A=1\n=x\n", "can't parse variable: empty name: f:2"],
      ["   \n", "can't parse variable: no delimiter: f:1"],
    ] as const
  ) {
    assert.throws(() => parseAssignments(encode(text), "\n", "f"), { message });
  }
});

Deno.test("parseAssignments() keeps bytes that are not UTF-8", () => {
  const [assignment] = parseAssignments(Uint8Array.of(0x41, 0x3d, 0xff, 0x0a), "\n", "f");
  assert.equal(assignment!.value, "\udcff");
});
