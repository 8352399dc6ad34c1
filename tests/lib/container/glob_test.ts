import assert from "node:assert/strict";
import { matchGlob } from "../../../lib/container/glob.ts";

// pattern, what it matches, what it does not; agrees with glibc's fnmatch(FNM_EXTMATCH)
const CASES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["", [""], ["a"]],
  ["A", ["A"], ["a", "AB", ""]],
  ["*", ["", "A", ".a", "a/b"], []],
  ["?", ["a", ".", "/", "\udcff"], ["", "ab", "é"]],
  ["A*B", ["AB", "AxB", "ABB"], ["ABx", "xAB"]],
  ["*A*", ["A", "xAy"], ["x"]],
  ["[ab]", ["a", "b"], ["c", "", "ab"]],
  ["[a-c]x", ["ax", "cx"], ["dx"]],
  ["[!a-c]", ["d", "-"], ["a"]],
  ["[^a]", ["b"], ["a"]],
  ["[]a]", ["]", "a"], ["b"]],
  ["[!]a]", ["b"], ["]", "a"]],
  ["[a-]", ["a", "-"], ["b"]],
  ["[b-a]", [], ["a", "b"]],
  ["[[:digit:]_]", ["7", "_"], ["x", ":"]],
  ["[[:upper:]]", ["X"], ["x", "É"]],
  ["[[:nonsense:]]", [], ["n", "[:nonsense:]"]],
  ["[[.a.][=b=]]", ["a", "b"], ["c", "."]],
  ["[\\]]", ["]"], ["\\"]],
  ["[a", ["[a"], ["a"]],
  ["x[", ["x["], ["x"]],
  ["\\*", ["*"], ["a", "\\*"]],
  ["a\\", [], ["a", "a\\"]],
  ["(a)", ["(a)"], ["a"]],
  ["A_@(1|2)", ["A_1", "A_2"], ["A_", "A_3", "A_12"]],
  ["!(A_*)", ["B", "", "xA_"], ["A_", "A_1"]],
  ["?(ab)c", ["c", "abc"], ["ababc", "ac"]],
  ["*(ab|c)", ["", "ab", "cab", "abcc"], ["a", "abb"]],
  ["+(ab|c)", ["ab", "cab"], ["", "a"]],
  ["+(a*|b)c", ["ac", "axxbc", "bc"], ["c", "xc"]],
  ["@(a|@(b|c)d)", ["a", "bd", "cd"], ["b", "d"]],
  ["@(a\\|b|[|)]x)", ["a|b", "|x", ")x"], ["a", "b"]],
  ["!(a)!(b)", ["a", "b", "ab", "xy", ""], []],
  ["a!(*)", [], ["a", "ab"]],
  ["@(a", ["@(a"], ["a"]],
  ["*(*)", ["", "anything"], []],
];

for (const [pattern, good, bad] of CASES) {
  Deno.test(`matchGlob() understands ${pattern || "the empty pattern"}`, () => {
    for (const text of good) assert.ok(matchGlob(pattern, text), `should match: ${text}`);
    for (const text of bad) assert.ok(!matchGlob(pattern, text), `should not match: ${text}`);
  });
}
