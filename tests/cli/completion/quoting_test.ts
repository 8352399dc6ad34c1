import assert from "node:assert/strict";
import { quoteFor, unquote } from "../../../cli/completion/quoting.ts";

Deno.test("unquote() undoes what users type", () => {
  for (
    const [word, text] of [
      ["plain", "plain"],
      ["a\\ b", "a b"],
      ["'a b", "a b"],
      ['"a \\"b', 'a "b'],
      ["'a\\b'", "a\\b"],
      ["$(touch x)", "$(touch x)"],
      ["end\\", "end\\"],
    ] as const
  ) assert.equal(unquote(word), text);
});

Deno.test("quoteFor() keeps bash from making anything of a name", () => {
  for (
    const [word, text, quoted] of [
      ["", "plain/a:1", "plain/a:1"],
      ["s", "sp ace", "sp\\ ace"],
      ["", "$(touch x);'", "\\$\\(touch\\ x\\)\\;\\'"],
      ["'sp", "sp ace", "sp ace"],
      ["~/", "~/sp ace", "~/sp\\ ace"],
      ["", "grün", "gr\\ün"],
    ] as const
  ) assert.equal(quoteFor(word, text), quoted);
});
