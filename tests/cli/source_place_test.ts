import assert from "node:assert/strict";
import { findSegment, findSourcePlace } from "../../cli/source_place.ts";

// Two generated lines; sources a.ts (0) and b.ts (1):
//   1:0 → a.ts 1:0, 1:10 → a.ts 3:2; 2:4 → b.ts 17:0
const MAPPINGS = "AAAA,UAEE;ICcF";

for (
  const [line, column, expected] of [
    [0, 0, { source: 0, line: 0 }],
    [0, 9, { source: 0, line: 0 }],
    [0, 10, { source: 0, line: 2 }],
    [0, 500, { source: 0, line: 2 }],
    [1, 3, undefined],
    [1, 4, { source: 1, line: 16 }],
    [2, 0, undefined],
  ] as const
) {
  Deno.test(`findSegment() at ${line}:${column}`, () => {
    assert.deepEqual(findSegment(MAPPINGS, line, column), expected);
  });
}

for (
  const [frame, expected] of [
    ["    at f (file:///x/lib/a.ts:12:3)", { file: "a.ts", line: 12 }],
    ["    at file:///x/lib/a.ts:12:3", { file: "a.ts", line: 12 }],
    ["    at async g (ch-run.js, <anonymous>:4:9)", { file: "ch-run.js", line: 4 }],
    ["    at new Promise (<anonymous>)", undefined],
    ["Error: a.ts", undefined],
  ] as const
) {
  Deno.test(`findSourcePlace() of ${frame.trim()}`, () => {
    assert.deepEqual(findSourcePlace(frame), expected);
  });
}
