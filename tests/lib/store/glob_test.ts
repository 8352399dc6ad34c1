import assert from "node:assert/strict";
import { matchName } from "../../../lib/store/glob.ts";

const cases: readonly [pattern: string, matching: string, others: string][] = [
  ["foo", "foo", "foobar xfoo Foo"],
  ["foo*", "foo foobar foo%bar+t", "xfoo"],
  ["*", "a a%b", ".a"],
  ["**", "a a%b", ".a"],
  [".*", ".a ..b", "a"],
  ["?oo", "foo boo", "oo fooo .oo"],
  ["f[ab]o", "fao fbo", "fco fo fabo"],
  ["f[!ab]o", "fco", "fao"],
  ["f[^ab]o", "fco", "fao"],
  ["f[a-c]o", "fao fbo fco", "fdo f-o"],
  ["f[-a]o", "f-o fao", "fbo"],
  ["f[]a]o", "f]o fao", "fbo"],
  ["f[!]a]o", "fbo", "f]o fao"],
  ["f[c-a]o", "", "fao fbo fco"],
  ["f[ao", "f[ao", "fao"],
  ["a.b", "a.b", "axb"],
  ["a+b", "a+b", "aab"],
  ["(a|b)", "(a|b)", "a"],
  ["a\\b", "a\\b", "ab"],
  ["f_stage[0-9]*", "f_stage0 f_stage12", "f_stage f_stagex"],
];

for (const [pattern, matching, others] of cases) {
  Deno.test(`matchName() of ${pattern}`, () => {
    for (const name of matching.split(" ").filter(Boolean)) assert(matchName(pattern, name), name);
    for (const name of others.split(" ")) assert(!matchName(pattern, name), name);
  });
}
