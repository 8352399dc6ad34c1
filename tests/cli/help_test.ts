import assert from "node:assert/strict";
import { formatHelp, formatUsage } from "../../cli/help.ts";
import { formatGeneralHelp, withCommonOptions } from "../../cli/image/help.ts";
import { SUB_COMMANDS } from "../../cli/image/table.ts";
import { type Command, listSpellings } from "../../cli/options.ts";

const command: Command = {
  name: "tool",
  summary: "Do it",
  positionals: [
    { name: "A", count: "one", help: "first" },
    { name: "B", count: "optional" },
    { name: "C", count: "any" },
  ],
  options: [
    { long: "one", short: "o", argument: "none", repeat: "count", help: "short text" },
    {
      long: "a-rather-long-one",
      argument: "required",
      placeholder: "VALUE",
      repeat: "last",
      group: "others",
      help: "a text that is so long that it does not fit on the rest of one line of the terminal",
    },
    { long: "secret", argument: "none", repeat: "last", hidden: true, help: "not shown" },
  ],
  epilogue: "That is all.",
};

Deno.test("formatHelp() lists arguments and options under their headings", () => {
  assert.equal(
    formatHelp(command),
    `usage: tool [OPTION...] A [B] [C...]

Do it.

arguments:
  A                       first

options:
  -o, --one               short text

others:
      --a-rather-long-one=VALUE
                          a text that is so long that it does not fit on the
                          rest of one line of the terminal

That is all.
`,
  );
});

Deno.test("formatUsage() shows how often a word may come", () => {
  const usage = formatUsage({ ...command, positionals: [{ name: "X", count: "some" }] });
  assert.equal(usage, "usage: tool [OPTION...] X...");
});

Deno.test("formatGeneralHelp() names all sub-commands", () => {
  for (const name of Object.keys(SUB_COMMANDS)) {
    assert.match(formatGeneralHelp(), new RegExp(`^ {2}${name} `, "m"));
  }
});

for (const [name, { load }] of Object.entries(SUB_COMMANDS)) {
  Deno.test(`the help of ch-image ${name} fits the terminal and shows every option once`, async () => {
    const command = withCommonOptions(await load());
    assert.equal(command.name, `ch-image ${name}`);
    const help = formatHelp(command);
    for (const line of help.split("\n")) assert(line.length <= 80, line);
    for (const spelling of listSpellings(command).filter((each) => each.startsWith("--"))) {
      const lines = help.split("\n").filter((line) =>
        new RegExp(`^ {2}(-., | {4})${spelling}([ =[]|$)`).test(line)
      );
      assert.equal(lines.length, 1, spelling);
    }
  });
}
