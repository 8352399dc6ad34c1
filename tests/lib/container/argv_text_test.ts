import assert from "node:assert/strict";
import { formatArgv } from "../../../lib/container/argv_text.ts";

for (
  const [argv, text] of [
    [["echo", "foo", "b a}$r"], 'echo foo "b a}\\$r"'],
    [["a+b-c.d/e:f,g@h_9"], "a+b-c.d/e:f,g@h_9"],
    [["", "x"], '"" x'],
    [['q"s', "b\\s", "t`t", "n!n"], '"q\\"s" "b\\\\s" "t\\`t" "n\\!n"'],
    [
      ["#", "%", "&", "'", "(", "*", ";", "<", "=", "?", "[", "^", "{", "|", "~"],
      [
        ..."#%&'(*;<=?[^{|~",
      ].map((char) => `"${char}"`).join(" "),
    ],
    [["tab\there", "é"], '"tab\there" "é"'],
  ] as const
) {
  Deno.test(`formatArgv() writes ${JSON.stringify(argv)}`, () => {
    assert.equal(formatArgv(argv), text);
  });
}
