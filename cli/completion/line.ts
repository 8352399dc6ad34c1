// A command line in the making: what stands before the cursor, by the tool's option table.

import type { Command, Option } from "../options.ts";

export interface Line {
  /** Options before the cursor with their arguments. */
  readonly given: readonly { readonly option: Option; readonly value: string | undefined }[];
  /** Other words before the cursor. */
  readonly positionals: readonly string[];
  /** The option whose argument is being typed. */
  readonly pending: Option | undefined;
  /** What is being typed; of `--option=VALUE` the value alone. */
  readonly word: string;
  /** What comes before that in the word, such as `--option=`. */
  readonly prefix: string;
  /** Whether there is a `--`: no options after it. */
  readonly isEnded: boolean;
}

/** WORDS are those after the tool's name up to the cursor, the last one being the unfinished one. Options are
 * looked for until the first other word if IS_ORDERED. */
export function readLine(
  { options }: Pick<Command, "options">,
  words: readonly string[],
  isOrdered = false,
): Line {
  const before = words.slice(0, -1), last = words.at(-1) ?? "";
  const given: { option: Option; value: string | undefined }[] = [];
  const positionals: string[] = [];
  let pending: Option | undefined, isEnded = false;
  for (const word of before) {
    if (pending !== undefined) {
      given.push({ option: pending, value: word });
      pending = undefined;
    } else if (isEnded || !word.startsWith("-") || word === "-") {
      positionals.push(word);
      isEnded ||= isOrdered;
    } else if (word === "--") {
      isEnded = true;
    } else {
      const found = findOption(options, word);
      if (found === undefined) continue;
      const { option, value } = found;
      if (option.argument === "required" && value === undefined) pending = option;
      else given.push({ option, value });
    }
  }
  const attached = !isEnded && pending === undefined && /^--[^=]+=/.exec(last)?.[0];
  if (!attached) return { given, positionals, pending, word: last, prefix: "", isEnded };
  const option = findOption(options, last)?.option;
  return {
    given,
    positionals,
    pending: option,
    word: last.slice(attached.length),
    prefix: attached,
    isEnded,
  };
}

function findOption(options: readonly Option[], word: string) {
  if (word.startsWith("--")) {
    const [name = "", ...rest] = word.slice(2).split("=");
    const option = options.find(({ long, aliases = [] }) =>
      long === name || aliases.includes(name)
    );
    return option && { option, value: rest.length === 0 ? undefined : rest.join("=") };
  }
  // A bundle: flags, and then perhaps one with its argument.
  for (let at = 1; at < word.length; at++) {
    const option = options.find(({ short }) => short === word[at]);
    if (option === undefined) return undefined;
    const rest = word.slice(at + 1);
    if (option.argument === "none" && rest !== "") continue;
    return { option, value: option.argument === "none" || rest === "" ? undefined : rest };
  }
  return undefined;
}

/** Value of the last occurrence. */
export function valueOf({ given }: Line, long: string): string | undefined {
  return given.findLast(({ option }) => option.long === long)?.value;
}

export function hasOption({ given }: Line, long: string): boolean {
  return given.some(({ option }) => option.long === long);
}
