// ch completion: prints what a shell is to source for completion; and, hidden, the answers that it then asks for
// (spec other-tools §1).

import { readEnvironment } from "../ffi/process.ts";
import { complete } from "./completion/complete.ts";
import { quoteFor, unquote } from "./completion/quoting.ts";
import { formatScript, type Shell, SHELLS } from "./completion/scripts.ts";
import { findStorage } from "./completion/tool.ts";
import { openWorld, type World } from "./completion/world.ts";
import { parseEnvironment } from "./plain_logger.ts";
import { writeText } from "./standard_stream.ts";

const HELP = `Usage: ch completion bash|zsh|fish

Print what makes the shell complete options, sub-commands, images and files of
these tools. To be sourced, for example in ~/.bashrc:

  source <(ch completion bash)
  source <(ch completion zsh)      # after compinit
  ch completion fish | source
`;

/** ARGV with argv[0]. */
export async function main([, word = "", ...words]: readonly string[]): Promise<number> {
  if (word === "answer") return await answer(words);
  if (word === "--help" || word === "-h") {
    writeText(Deno.stdout, HELP);
    return 0;
  }
  const shell = SHELLS.find((each) => each === word);
  if (shell === undefined || words.length > 0) {
    if (word !== "" && shell === undefined) {
      writeText(Deno.stderr, `ch completion: error: no such shell: ${word}\n`);
    }
    writeText(Deno.stderr, HELP);
    return 1;
  }
  writeText(Deno.stdout, formatScript(shell, Deno.execPath()));
  return 0;
}

/** `answer SHELL CWORD WORD...`: a candidate on each line. Bash's words are as they were typed, with quotes. */
async function answer([shell, cword = "", ...raw]: readonly string[]): Promise<number> {
  const isBash = (shell as Shell) === "bash";
  const words = isBash ? raw.map(unquote) : raw;
  const at = Number(cword);
  if (!Number.isInteger(at) || at < 1) return 1;
  const world = openWorld(parseEnvironment(readEnvironment()));
  const candidates = await complete(words, at, world);
  if (world.environment.get("CH_COMPLETION_DEBUG")) explain(words, at, candidates, world);
  const lines = isBash ? candidates.map((text) => quoteFor(raw[at] ?? "", text)) : candidates;
  writeText(Deno.stdout, lines.map((line) => `${line}\n`).join(""));
  return 0;
}

/** On standard error, which the shell's side appends to its log. */
function explain(
  words: readonly string[],
  at: number,
  candidates: readonly string[],
  world: World,
): void {
  const request = { words: words.slice(1, at + 1), after: words.slice(at + 1), world };
  writeText(
    Deno.stderr,
    [
      `words: ${words.join(" ")}`,
      `storage: ${findStorage(request)}`,
      `current: ${words[at] ?? ""}  previous: ${words[at - 1] ?? ""}`,
      `candidates: ${candidates.join(" ")}`,
      "",
    ].join("\n"),
  );
}
