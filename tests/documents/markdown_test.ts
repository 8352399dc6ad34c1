// What documents' tests are made from (markdown.ts).

import assert from "node:assert/strict";
import { parseMarkdown } from "./markdown.ts";

const FENCE = "```";

Deno.test("parseMarkdown() gives blocks and hidden commands in their order", () => {
  const source = [
    "<!-- needs: debian network -->",
    "Text with `code`.",
    "<!-- run: mkdir a",
    "cd a -->",
    "<!-- file: a/Dockerfile -->",
    `${FENCE}dockerfile`,
    "FROM debian",
    FENCE,
    `${FENCE}console`,
    "$ true",
    FENCE,
    "<!-- not run: needs a GPU -->",
    `${FENCE}console`,
    "$ nvidia-smi",
    FENCE,
    `${FENCE}text`,
    "a drawing",
    FENCE,
    "",
  ].join("\n");
  assert.deepEqual(parseMarkdown(source), {
    needs: ["debian", "network"],
    parts: [
      { type: "hidden", text: "mkdir a\ncd a", line: 3 },
      { type: "file", path: "a/Dockerfile", text: "FROM debian\n", line: 7 },
      { type: "transcript", text: "$ true\n", line: 10 },
      { type: "skipped", reason: "needs a GPU", line: 14 },
    ],
  });
});

for (
  const [what, source, message] of [
    [
      "an example that nobody would run",
      `${FENCE}sh\nls\n${FENCE}\n`,
      /^Error: line 2: a block of sh/,
    ],
    ["a transcript without language", `${FENCE}\n$ ls\n${FENCE}\n`, /^Error: line 2: a transcript/],
    ["an unknown comment", "x\n<!-- runs: ls -->\n", /^Error: line 2: unknown comment/],
    ["a comment without its block", "<!-- file: a -->\n", /^Error: line 1: no block after "file:"/],
    [
      "a comment for the block after the next comment",
      `<!-- not run: x -->\n<!-- run: ls -->\n${FENCE}console\n${FENCE}\n`,
      /^Error: line 1: no block after "not run:"/,
    ],
  ] as const
) {
  Deno.test(`parseMarkdown() refuses ${what}`, () => {
    assert.throws(() => parseMarkdown(source), message);
  });
}
