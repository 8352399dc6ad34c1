// Which parts of a man page are examples (man_examples.ts).

import assert from "node:assert/strict";
import { parseManExamples } from "./man_examples.ts";

Deno.test("parseManExamples() takes the blocks of EXAMPLES as they are typed", () => {
  const source = [
    ".SH DESCRIPTION",
    ".EX",
    "$ not an example",
    ".EE",
    ".SH EXAMPLES",
    '.\\" needs: fuse debian',
    '.\\" run: mkdir a',
    ".EX",
    "$ ch\\-run a \\-\\- \\e",
    "    true",
    ".EE",
    '.\\" not run: needs a GPU',
    ".EX",
    "$ nvidia\\-smi",
    ".EE",
    ".EX",
    "$ true",
    ".EE",
  ].join("\n");
  assert.deepEqual(parseManExamples(source), {
    needs: ["fuse", "debian"],
    parts: [
      { type: "hidden", text: "mkdir a", line: 7 },
      { type: "examples", text: "$ ch-run a -- \\\n    true\n", line: 9 },
      { type: "skipped", reason: "needs a GPU", line: 14 },
      { type: "examples", text: "$ true\n", line: 17 },
    ],
  });
});
