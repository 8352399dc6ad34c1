// Texts put together at random: parsing ends, in instructions or in a mistake whose place is in the file.

import { ok } from "node:assert/strict";
import { parseDockerfile } from "../../../lib/dockerfile/parse.ts";
import { divideIntoStages } from "../../../lib/dockerfile/program.ts";
import { decodeDockerfile, DockerfileError } from "../../../lib/dockerfile/source.ts";
import { ChError } from "../../../lib/error.ts";

const PIECES = [
  ..."ARG COPY ENV FROM LABEL RUN SHELL WORKDIR RSYNC CMD AS # a=b --from=x --a=b=c +z".split(" "),
  ..." \t\n\\\"'[],=${}:/-\r\ufeffä€\u2028".split(""),
  "\\\n",
  "\\ \n",
  "\n\n",
  '["a", "b"]',
  '"x\\ty"',
  "syntax=x",
  "<<E",
  "<<-'E'\n",
  "\nE\n",
  "--mount=type=bind,source=x ",
  "ADD ",
  "${a:-b}",
];

/** Numerical Recipes' linear congruential generator: the same texts in every run. */
function newRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

Deno.test("parseDockerfile() survives random texts", () => {
  const random = newRandom(1);
  let parsed = 0;
  for (let round = 0; round < 20_000; round++) {
    const begin = ["", "FROM a\n", "FROM a\nENV ", "FROM a\nCOPY ", "FROM a\nRUN "][random(5)]!;
    // Both dialects.
    let text = random(2) === 0 ? begin : `# syntax=docker/dockerfile:1\n${begin}`;
    for (let count = random(12); count > 0; count--) text += PIECES[random(PIECES.length)]!;
    try {
      const source = decodeDockerfile("D", new TextEncoder().encode(text));
      divideIntoStages(parseDockerfile(source));
      parsed++;
    } catch (error) {
      ok(error instanceof ChError, `${JSON.stringify(text)}: ${error}`);
      if (!(error instanceof DockerfileError)) continue;
      const lines = text.replace(/\r\n?/g, "\n").split("\n");
      const line = lines[error.line - 1];
      ok(line !== undefined && error.column <= line.length + 1, JSON.stringify(text));
    }
  }
  // Both ways are taken often enough for this to mean something.
  ok(parsed > 2_000 && parsed < 18_000, String(parsed));
});
