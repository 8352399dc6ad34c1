// Command line parsing in the manner of Python's argparse, which is what users of ch-image know; with
// other rules it is ch-convert's parser. Pure: tables and words in, Arguments or a UsageError out.

import {
  type Arguments,
  type Command,
  type Given,
  type Option,
  type Positional,
  UsageError,
} from "./options.ts";

/** Where two tools differ. */
export interface Rules {
  /** Where options may stand: anywhere, or only before the first other word. */
  readonly options: "anywhere" | "first";
  /** Whether a long option may be shortened to an unambiguous prefix. */
  readonly abbreviations: boolean;
  /** Whether an option with an optional argument takes the next word for it. */
  readonly optionalTakesNextWord: boolean;
  /** Whether the word after an option is its argument even if it looks like an option. */
  readonly argumentMayLookLikeOption: boolean;
}

/** ch-image, spec ch-image §1. */
export const IMAGE_RULES: Rules = {
  options: "anywhere",
  abbreviations: true,
  optionalTakesNextWord: true,
  argumentMayLookLikeOption: false,
};

/** ch-convert, spec ch-convert §2.1. */
export const CONVERT_RULES: Rules = {
  options: "first",
  abbreviations: false,
  optionalTakesNextWord: false,
  argumentMayLookLikeOption: true,
};

/** Parses WORDS and checks number and kind of everything. Throws a UsageError. */
export function parseArguments<Name extends string>(
  command: Command<Name>,
  words: readonly string[],
  rules: Rules = IMAGE_RULES,
): Arguments<Name> {
  const { given, rest, immediate } = scan(command.options, words, rules);
  if (immediate !== undefined) return { given, positionals: rest, immediate };
  checkExclusive(given);
  checkPositionals(command.positionals, rest);
  return { given, positionals: rest, immediate };
}

/**
 * Parses the options before a sub-command: ends at the first word that is none. REST is that word and
 * all after it, untouched.
 */
export function parseLeadingOptions<Name extends string>(
  options: readonly Option<Name>[],
  words: readonly string[],
): { readonly args: Arguments<Name>; readonly rest: readonly string[] } {
  const { given, rest, immediate } = scan(options, words, { ...IMAGE_RULES, options: "first" });
  if (immediate === undefined) checkExclusive(given);
  return { args: { given, positionals: [], immediate }, rest };
}

interface Scanned<Name extends string> {
  readonly given: readonly Given<Name>[];
  readonly rest: readonly string[];
  readonly immediate: Name | undefined;
}

function scan<Name extends string>(
  options: readonly Option<Name>[],
  words: readonly string[],
  rules: Rules,
): Scanned<Name> {
  const given: Given<Name>[] = [];
  const rest: string[] = [];
  const unknown: string[] = [];
  let at = 0;

  /** The argument of OPTION, ATTACHED to its word or the next word. */
  const takeArgument = (option: Option<Name>, attached: string | undefined) => {
    if (option.argument === "none") {
      if (attached === undefined) return undefined;
      throw new UsageError(`argument ${spell(option)}: ignored explicit argument '${attached}'`);
    }
    if (attached !== undefined) return checkChoice(option, attached);
    if (option.argument === "optional" && !rules.optionalTakesNextWord) return undefined;
    const next = words[at];
    if (next !== undefined && (rules.argumentMayLookLikeOption || !looksLikeOption(next))) {
      at++;
      return checkChoice(option, next);
    }
    if (option.argument === "optional") return undefined;
    throw new UsageError(`argument ${spell(option)}: expected one argument`);
  };

  while (at < words.length) {
    const word = words[at++]!;
    if (word === "--") {
      rest.push(...words.slice(at));
      break;
    }
    if (!looksLikeOption(word)) {
      rest.push(word);
      if (rules.options === "anywhere") continue;
      rest.push(...words.slice(at));
      break;
    }
    const found = word.startsWith("--")
      ? findLong(options, word, rules)
      : findShorts(options, word);
    if (found === undefined) {
      unknown.push(word);
      continue;
    }
    for (const { option, attached } of found) {
      given.push({ option, value: takeArgument(option, attached) });
      if (option.immediate) return { given, rest, immediate: option.long };
    }
  }
  if (unknown.length > 0) throw new UsageError(`unrecognized arguments: ${unknown.join(" ")}`);
  return { given, rest, immediate: undefined };
}

interface Found<Name extends string> {
  readonly option: Option<Name>;
  readonly attached: string | undefined;
}

function findLong<Name extends string>(
  options: readonly Option<Name>[],
  word: string,
  rules: Rules,
): readonly Found<Name>[] | undefined {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const attached = equals < 0 ? undefined : word.slice(equals + 1);
  const names = (option: Option) => [option.long, ...option.aliases ?? []];

  const exact = options.find((option) => names(option).includes(name));
  if (exact !== undefined) return [{ option: exact, attached }];
  if (!rules.abbreviations) return undefined;
  const candidates = options.filter((option) => names(option).some((n) => n.startsWith(name)));
  if (candidates.length > 1) {
    const list = candidates.map((option) => `--${option.long}`).join(", ");
    throw new UsageError(`ambiguous option: ${word} could match ${list}`);
  }
  return candidates[0] === undefined ? undefined : [{ option: candidates[0], attached }];
}

/** The options in a word like `-qs/tmp`: flags, then perhaps one with an argument. */
function findShorts<Name extends string>(
  options: readonly Option<Name>[],
  word: string,
): readonly Found<Name>[] | undefined {
  const found: Found<Name>[] = [];
  for (let at = 1; at < word.length; at++) {
    const option = options.find((candidate) => candidate.short === word[at]);
    if (option === undefined) return undefined;
    const tail = word.slice(at + 1);
    if (option.argument === "none" && !tail.startsWith("=")) {
      found.push({ option, attached: undefined });
      continue;
    }
    const attached = tail.startsWith("=") ? tail.slice(1) : tail;
    return [...found, { option, attached: tail === "" ? undefined : attached }];
  }
  return found;
}

/** As argparse: negative numbers and words with a space are arguments, "-" is a word. */
function looksLikeOption(word: string): boolean {
  return word.startsWith("-") && word.length > 1 && !/^-\d+$|^-\d*\.\d+$/.test(word) &&
    !word.includes(" ");
}

function checkChoice(option: Option, value: string): string {
  if (option.choices === undefined || option.choices.includes(value)) return value;
  const choices = option.choices.map((choice) => `'${choice}'`).join(", ");
  throw new UsageError(
    `argument ${spell(option)}: invalid choice: '${value}' (choose from ${choices})`,
  );
}

function checkExclusive(given: readonly Given[]): void {
  for (const [index, { option }] of given.entries()) {
    const other = given.slice(0, index).find((earlier) =>
      option.exclusive !== undefined && earlier.option.exclusive === option.exclusive &&
      earlier.option.long !== option.long
    );
    if (other === undefined) continue;
    throw new UsageError(
      `argument ${spell(option)}: not allowed with argument ${spell(other.option)}`,
    );
  }
}

function checkPositionals(wanted: readonly Positional[], words: readonly string[]): void {
  const required = wanted.filter(({ count }) => count === "one" || count === "some");
  if (words.length < required.length) {
    const missing = required.slice(words.length).map(({ name }) => name).join(", ");
    throw new UsageError(`the following arguments are required: ${missing}`);
  }
  const isOpenEnded = wanted.some(({ count }) => count === "some" || count === "any");
  if (isOpenEnded || words.length <= wanted.length) return;
  throw new UsageError(`unrecognized arguments: ${words.slice(wanted.length).join(" ")}`);
}

function spell(option: Option): string {
  return option.short === undefined ? `--${option.long}` : `-${option.short}/--${option.long}`;
}
