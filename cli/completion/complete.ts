// Completing a command line of any tool: the one place that shells' completion functions ask, through the hidden
// `ch completion answer`.

import { completeConvert, SQUASH } from "./convert.ts";
import { completeFiles } from "./files.ts";
import { completeFromhost } from "./fromhost.ts";
import { completeImage } from "./image.ts";
import { completeRun } from "./run.ts";
import { completeTest } from "./test.ts";
import { type Completer, imagesOf } from "./tool.ts";
import type { World } from "./world.ts";

const SHELLS = ["bash", "fish", "zsh"];

const COMPLETERS: Readonly<Record<string, Completer>> = {
  "ch-checkns": ({ words }) =>
    words.length === 1 ? ["-v", "--verbose", "--json", "--help", "--version"] : [],
  "ch-completion": ({ words }) => words.length === 1 ? SHELLS : [],
  "ch-convert": completeConvert,
  "ch-doctor": (request) => [
    ...["--json", "--help", "--version"],
    ...completeFiles(request.words.at(-1)!, { files: SQUASH, directories: true }, request.world),
    ...imagesOf(request),
  ],
  "ch-fromhost": completeFromhost,
  "ch-image": completeImage,
  "ch-run": completeRun,
  "ch-test": completeTest,
};

/** Candidates for word AT of WORDS, the first of which is the tool's name, by whatever path. Sorted, each once. */
export async function complete(
  words: readonly string[],
  at: number,
  world: World,
): Promise<string[]> {
  const [program = "", ...rest] = words;
  const name = program.slice(program.lastIndexOf("/") + 1);
  const before = rest.slice(0, at - 1), word = rest[at - 1] ?? "";
  const candidates = await ask(name, [...before, word], rest.slice(at), world);
  return [...new Set(candidates.filter((candidate) => candidate.startsWith(word)))].sort();
}

async function ask(
  name: string,
  words: readonly string[],
  after: readonly string[],
  world: World,
): Promise<string[]> {
  if (name === "ch") {
    const [tool = "", ...rest] = words;
    if (rest.length === 0) {
      return [
        ...Object.keys(COMPLETERS).map((each) => each.slice("ch-".length)),
        "--help",
        "--version",
      ];
    }
    return await ask(tool.startsWith("ch-") ? tool : `ch-${tool}`, rest, after, world);
  }
  const completer = Object.hasOwn(COMPLETERS, name) ? COMPLETERS[name] : undefined;
  return completer === undefined ? [] : await completer({ words, after, world });
}
