import { strictEqual } from "node:assert/strict";
import { cleanLine, cutLine, measure } from "../../cli/line_width.ts";

for (
  const [name, text, clean] of [
    ["colours", "\x1b[1;31mred\x1b[0m", "red"],
    ["movements of the cursor", "a\x1b[2K\x1b[10;5Hb\x1b[Ac", "abc"],
    ["titles", "\x1b]0;title\x07text\x1b]8;;http://x\x1b\\link", "textlink"],
    ["single escapes", "\x1bcreset\x1b(B", "reset"],
    ["an escape at the end", "end\x1b", "end"],
    ["other controls", "a\x00b\x08c\x7fd\x85e\u2028f\u202eg", "abcdefg"],
    ["half of a pair", "a\udc80b", "a\ufffdb"],
    ["tabs", "a\tb", "a    b"],
    ["nothing", "plain, größer", "plain, größer"],
  ] as const
) {
  Deno.test(`cleanLine() takes out ${name}`, () => strictEqual(cleanLine(text), clean));
}

for (
  const [text, width, cut] of [
    ["short", 5, "short"],
    ["too long", 5, "too …"],
    ["漢字漢字", 8, "漢字漢字"],
    ["漢字漢字", 6, "漢字…"],
    ["e\u0301e\u0301", 2, "e\u0301e\u0301"],
    ["🚀🚀🚀", 5, "🚀🚀…"],
    ["x", 0, ""],
    ["xy", 1, "…"],
    ["\x1b[31mred\x1b[m", 3, "red"],
  ] as const
) {
  Deno.test(`cutLine(${JSON.stringify(text)}, ${width}) is ${JSON.stringify(cut)}`, () => {
    strictEqual(cutLine(text, width), cut);
    strictEqual(measure(cut) <= width, true);
  });
}
