// Patterns of COPY against a tree given as a list of paths.

import { deepStrictEqual } from "node:assert/strict";
import { expandGlob, type GlobTree } from "../../../lib/build/glob.ts";

const PATHS = [
  "a.txt",
  "b.txt",
  "c[1].md",
  "d/",
  "d/x.txt",
  "d/.hidden",
  "e/",
  "e/x.txt",
  "e/sub/",
  "e/sub/x.txt",
  ".dot",
  "x-y]z",
  "\udcff.bin",
  "ä",
];

const TREE: GlobTree = {
  listNames(path) {
    if (path !== "" && !PATHS.includes(`${path}/`)) return undefined;
    const prefix = path === "" ? "" : `${path}/`;
    return PATHS.filter((p) => p.startsWith(prefix) && p !== prefix)
      .map((p) => p.slice(prefix.length))
      .filter((p) => !/\/./.test(p))
      .map((p) => p.replace(/\/$/, ""));
  },
  exists: (path) => PATHS.includes(path) || PATHS.includes(`${path}/`),
};

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ["a.txt", ["a.txt"]],
  ["/a.txt", ["a.txt"]],
  ["missing", []],
  ["*.txt", ["a.txt", "b.txt"]],
  ["?.txt", ["a.txt", "b.txt"]],
  ["[a].txt", ["a.txt"]],
  ["[!a].txt", ["b.txt"]],
  ["[b-z].txt", ["b.txt"]],
  ["[z-b].txt", []],
  ["c[[]1].md", ["c[1].md"]],
  ["x-y[]]z", ["x-y]z"]],
  ["x[-a]y?z", ["x-y]z"]],
  ["a.txt[", []],
  ["*", ["a.txt", "b.txt", "c[1].md", "d", "e", "x-y]z", "ä", "\udcff.bin"]],
  [".*", [".dot"]],
  ["d/*", ["d/x.txt"]],
  ["d/.*", ["d/.hidden"]],
  ["*/x.txt", ["d/x.txt", "e/x.txt"]],
  ["**/x.txt", ["d/x.txt", "e/x.txt"]],
  ["e/*/x.txt", ["e/sub/x.txt"]],
  ["d/", ["d/"]],
  ["d//x.txt", ["d/x.txt"]],
  ["a.txt/", []],
  ["a.txt/x", []],
  ["*/", ["d/", "e/"]],
  ["?.bin", ["\udcff.bin"]],
  ["?", ["d", "e", "ä"]],
  ["/", ["/"]],
  ["", ["/"]],
];

for (const [pattern, expected] of CASES) {
  Deno.test(`expandGlob() of ${JSON.stringify(pattern)}`, () => {
    deepStrictEqual(expandGlob(pattern, TREE), expected);
  });
}
