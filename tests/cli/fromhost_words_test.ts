import assert from "node:assert/strict";
import { type FromhostWord, readFromhostWords } from "../../cli/fromhost_words.ts";

const option = (name: string, value = "") => ({ kind: "option", name, value });

Deno.test("readFromhostWords() takes options and image in any order", () => {
  assert.deepEqual(
    readFromhostWords(["-p", "a", "D", "--dest=/x", "--path", "-v", "-vv", "--lib-path"]),
    [
      option("path", "a"),
      { kind: "image", path: "D" },
      option("dest", "/x"),
      option("path", "-v"),
      option("verbose"),
      option("verbose"),
      option("print-lib"),
    ],
  );
});

Deno.test("readFromhostWords() stops at what is wrong", () => {
  const last = (words: string[]) => readFromhostWords(words).at(-1) as FromhostWord;
  for (
    const [words, message] of [
      [["D", "--bogus", "E"], "--bogus"],
      [["--nvidia=yes"], "--nvidia=yes"],
      [["--no-ldc"], "--no-ldc"],
      [["-vp", "x"], "-vp"],
      [["--ofi"], "--ofi"],
    ] as const
  ) {
    const word = last([...words]);
    assert.equal(word.kind === "unknown" && word.error.message, `invalid option: ${message}`);
  }
  assert.deepEqual(last(["D", "--path"]), { kind: "lacking", name: "path" });
  assert.deepEqual(last(["--path=", "D"]), { kind: "lacking", name: "path" });
});
