// Stages, and what must hold of a file as a whole.

import { deepStrictEqual, throws } from "node:assert/strict";
import { parseDockerfile } from "../../../lib/dockerfile/parse.ts";
import { divideIntoStages, type Program } from "../../../lib/dockerfile/program.ts";

function divide(text: string): Program {
  return divideIntoStages(parseDockerfile({ file: "D", text }));
}

Deno.test("divideIntoStages() separates preamble and stages", () => {
  const program = divide(
    "# syntax=x\nARG a=1\nFROM $a AS x\nRUN b\nFROM y\nFROM x\nENV c d\nARG e\n",
  );
  deepStrictEqual(program.preamble.map((i) => i.keyword), ["#syntax", "ARG"]);
  deepStrictEqual(
    program.stages.map((stage) => [stage.from.image, stage.instructions.map((i) => i.kind)]),
    [["$a", ["run"]], ["y", []], ["x", ["env", "arg"]]],
  );
});

const REFUSED: readonly (readonly [string, string])[] = [
  ["", "no instructions found: D"],
  ["# only\n\n# comments\n", "no instructions found: D"],
  ["# syntax=x\n", "no instructions found: D"],
  ["RUN x\nFROM a\n", "first instruction must be ARG or FROM"],
  ["MAINTAINER x\nFROM a\n", "first instruction must be ARG or FROM"],
  ["ARG a\nRUN x\nFROM a\n", "first instruction must be ARG or FROM"],
  ["ARG a\n", "first instruction must be ARG or FROM"],
  ["FROM a\nCOPY --from=0 --from=1 a b\n", "  2 COPY: repeated option --from"],
  ["FROM a\nCOPY --keep-git-dir a b\n", "COPY: invalid option --keep-git-dir"],
  ["FROM a\nADD --from=0 a b\n", "ADD: invalid option --from"],
  ["FROM --foo=1 a\n", "FROM: invalid option --foo"],
  ["FROM --arg=x a\n", "FROM: --arg: not NAME=VALUE: x"],
];

for (const [text, message] of REFUSED) {
  Deno.test(`divideIntoStages() refuses ${JSON.stringify(text)}`, () => {
    throws(() => divide(text), { message });
  });
}

Deno.test("divideIntoStages() allows --arg several times", () => {
  deepStrictEqual(divide("FROM --arg=a=1 --arg=b=2 x\n").stages[0]!.from.options.length, 2);
});
