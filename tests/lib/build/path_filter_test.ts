import { deepStrictEqual, throws } from "node:assert/strict";
import { PathFilter } from "../../../lib/build/path_filter.ts";

/** A `.dockerignore`, paths that it leaves out, and paths that it does not. */
const CASES: readonly (readonly [string, string[], string[]])[] = [
  ["", [], ["a"]],
  ["# a\n\n  b  \n", ["b"], ["# a", "a"]],
  ["*.o", ["a.o"], ["d/a.o", "a.c"]],
  ["**/*.o", ["a.o", "d/a.o", "d/e/a.o"], ["a.c"]],
  ["dir", ["dir", "dir/x/y"], ["dirt", "x/dir"]],
  ["/dir/", ["dir/x"], ["x/dir/y"]],
  ["a?c", ["abc"], ["ac", "a/c"]],
  ["[a-c]x", ["ax", "cx"], ["dx"]],
  ["*\n!keep", ["x", "d/keep"], ["keep"]],
  ["*.md\n!README*.md\nREADME-secret.md", ["a.md", "README-secret.md"], ["README.md"]],
  ["!x\nx", ["x"], []],
  ["a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["a/b", "b/z"]],
  ["./x/../y", ["y"], ["x"]],
];

for (const [text, out, kept] of CASES) {
  Deno.test(`PathFilter.parse() of ${JSON.stringify(text)}`, () => {
    const filter = PathFilter.parse(text, ".dockerignore");
    deepStrictEqual([...out, ...kept].filter((path) => filter.excludes(path)), out);
  });
}

Deno.test("PathFilter.parse() refuses a pattern that is none", () => {
  throws(() => PathFilter.parse("a[", ".dockerignore"), { name: "ChError" });
});
