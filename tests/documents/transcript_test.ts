// Transcripts: how they are read, and which outputs they are held to be true for (transcript.ts).

import assert from "node:assert/strict";
import { matchesOutput, parseTranscript, wantedStatus } from "./transcript.ts";

Deno.test("parseTranscript() tells commands, what is typed into them, and output apart", () => {
  const text = [
    "$ cat >f <<'EOF'",
    "$ not a command",
    "EOF",
    "$ ch-run \\",
    "    image -- sh",
    "> pwd",
    "/",
    "> exit",
    "",
    "$ true",
    "",
  ].join("\n");
  assert.deepEqual(parseTranscript(text, 10), [
    { line: 10, command: "cat >f <<'EOF'\n$ not a command\nEOF", input: "", output: [] },
    { line: 13, command: "ch-run \\\n    image -- sh", input: "pwd\nexit\n", output: ["/"] },
    { line: 19, command: "true", input: "", output: [] },
  ]);
});

Deno.test("parseTranscript() refuses output that no command made", () => {
  assert.throws(() => parseTranscript("hello\n$ true\n", 5), /line 5: output without a command/);
});

for (
  const [expected, actual, matches] of [
    [[], "", true],
    [[], "x\n", false],
    [["a.c"], "a.c\n", true],
    [["a.c"], "abc\n", false],
    [["a"], "a\n\n", true],
    [["a"], "a\nb\n", false],
    [["size: … bytes"], "size: 12 bytes\n", true],
    [["…"], "a\nb\n", false],
    [["a", "[…]", "c"], "a\nc\n", true],
    [["a", "[…]", "c"], "a\nb\nb\nc\n", true],
    [["a", "[…]", "c"], "a\nb\n", false],
    [["x: 100%", "done"], "x: 0%\nx: 50%\nx: 100%\ndone\n", true],
    [["x: 3.0/3.0 MiB (100%)"], "x: 0.0/3.0 MiB (0%)\nx: 3.0/3.0 MiB (100%)\n", true],
    [["50%", "done"], "0%\r50%\r\ndone\r\n", true],
    [["y: 100%"], "x: 100%\ny: 100%\n", false],
  ] as const
) {
  Deno.test(`matchesOutput(${JSON.stringify(expected)}, ${JSON.stringify(actual)})`, () => {
    assert.equal(matchesOutput(expected, actual), matches);
  });
}

Deno.test("wantedStatus() is what the transcript shows", () => {
  const [good, bad, silent, status] = parseTranscript(
    "$ a\nfine\n$ b\nb: error: no\n$ false\n$ echo $?\n1\n",
    1,
  );
  assert.equal(wantedStatus(good!, bad), "success");
  assert.equal(wantedStatus(bad!, silent), "failure");
  assert.equal(wantedStatus(silent!, status), "any");
});
