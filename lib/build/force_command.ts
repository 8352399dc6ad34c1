// Arguments put into RUN's commands so that they work without root, e.g. apt-get's sandbox switched
// off (spec dockerfile §10.2). The text of an instruction stays what it is.

import type { Run } from "../dockerfile/instruction.ts";
import { ChError } from "../error.ts";

/** COMMAND gets ARGUMENTS right after it. */
export interface ForceCommand {
  readonly command: string;
  readonly arguments: readonly string[];
}

export const DEFAULT_FORCE_COMMANDS: readonly ForceCommand[] = [
  { command: "apt", arguments: ["-o", "APT::Sandbox::User=root"] },
  { command: "apt-get", arguments: ["-o", "APT::Sandbox::User=root"] },
];

/** Argument of `--force-cmd`: `CMD,ARG[,ARG…]`; a backslash takes the next character literally. */
export function parseForceCommand(text: string): ForceCommand {
  const [command = "", ...args] = splitAtCommas(text);
  if (args.length === 0) throw new ChError("--force-cmd: need at least one ARG");
  if (command === "") throw new ChError("--force-cmd: CMD can’t be empty");
  return { command, arguments: args };
}

/**
 * ARGV with the arguments of COMMANDS put in. In list form a word that is the command is one; in other
 * text it is one wherever it stands between a word boundary and white space, even inside quotes.
 */
export function injectArguments(
  argv: readonly string[],
  form: Run["form"],
  commands: readonly ForceCommand[],
): string[] {
  return commands.reduce<string[]>(
    (words, command) =>
      words.flatMap((word) =>
        form === "list" && word === command.command
          ? [word, ...command.arguments]
          : [injectIntoText(word, command)]
      ),
    [...argv],
  );
}

function injectIntoText(text: string, { command, arguments: args }: ForceCommand): string {
  const literal = command.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const injected = args.map(quoteForShell).join(" ");
  return text.replace(
    new RegExp(`(?<!\\w)(${literal})(\\s)`, "g"),
    (_whole, found, space) => `${found} ${injected}${space}`,
  );
}

/** WORD as one word of a shell's. */
export function quoteForShell(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}

function splitAtCommas(text: string): string[] {
  const words = [""];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === ",") words.push("");
    else words.push(words.pop()! + (text[at] === "\\" ? text[++at] ?? "\\" : text[at]));
  }
  return words;
}
