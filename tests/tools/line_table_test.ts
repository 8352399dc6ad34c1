// The table of lines, against a source map made by hand.

import assert from "node:assert/strict";
import { TABLE_WIDTH } from "../../cli/source_place.ts";
import { formatLineTable } from "../../tools/line_table.ts";

Deno.test("formatLineTable() has a line of equal width for each of the script's", () => {
  // Line 1: a.ts:1; line 2: nothing; line 3: b.ts:3, then a.ts:2; line 4: a.ts:3.
  const mappings = "AAAA;;ACEA,CDDA;AACA";
  const table = formatLineTable({ sources: ["../lib/a.ts", "../cli/b.ts"], mappings });
  const rows = Array.from(
    { length: table.length / TABLE_WIDTH },
    (_, i) => table.slice(i * TABLE_WIDTH, (i + 1) * TABLE_WIDTH).trim(),
  );
  assert.deepEqual(rows, ["a.ts:1", "", "a.ts:2", "a.ts:3"]);
});
