// Command line parsing in the manner of GNU argp and getopt_long, which is ch-run's (spec ch-run §1.2).
// Options act one after another, from left to right, as they are met. Pure: tables and words in, calls
// to `act` and the positional words out.

import { formatEntry, groupOptions } from "./help.ts";
import { type Command, type Option, spellOption, UsageError } from "./options.ts";

export interface ArgpRules {
  /** The first positional word ends the options (POSIXLY_CORRECT). */
  readonly isPosix: boolean;
}

/** Parses WORDS, without argv[0]. ACT gets each option with its argument; if it returns a status, the
 * program is to end with it, and nothing further is looked at. Throws a UsageError. */
export function parseArgp<Name extends string>(
  options: readonly Option<Name>[],
  words: readonly string[],
  rules: ArgpRules,
  act: (name: Name, value: string | undefined) => number | undefined,
): { readonly positionals: readonly string[] } | { readonly status: number } {
  const positionals: string[] = [];
  for (let at = 0; at < words.length;) {
    const word = words[at++]!;
    if (word === "--") return { positionals: [...positionals, ...words.slice(at)] };
    if (!word.startsWith("-") || word === "-") {
      if (rules.isPosix) return { positionals: [word, ...words.slice(at)] };
      positionals.push(word);
      continue;
    }
    const next = () => words[at++];
    const found = word.startsWith("--")
      ? [parseLong(options, word.slice(2), next)]
      : parseShorts(options, word.slice(1), next);
    for (const { option, value } of found) {
      const status = act(option.long, value);
      if (status !== undefined) return { status };
    }
  }
  return { positionals };
}

interface Found<Name extends string> {
  readonly option: Option<Name>;
  readonly value: string | undefined;
}

/** TEXT without its dashes; NEXT takes the word after it. */
function parseLong<Name extends string>(
  options: readonly Option<Name>[],
  text: string,
  next: () => string | undefined,
): Found<Name> {
  const equals = text.indexOf("=");
  const name = equals < 0 ? text : text.slice(0, equals);
  const attached = equals < 0 ? undefined : text.slice(equals + 1);
  const option = findLong(options, name, text);

  if (attached !== undefined && option.argument === "none") {
    throw new UsageError(`option '--${option.long}' doesn't allow an argument`);
  }
  if (attached !== undefined || option.argument !== "required") return { option, value: attached };
  const value = next();
  if (value === undefined) throw new UsageError(`option '--${option.long}' requires an argument`);
  return { option, value };
}

/** By its exact name or an unambiguous beginning of it. */
function findLong<Name extends string>(
  options: readonly Option<Name>[],
  name: string,
  text: string,
): Option<Name> {
  const exact = options.find((option) => option.long === name);
  if (exact !== undefined) return exact;
  const candidates = options.filter((option) => option.long.startsWith(name));
  if (candidates.length === 0) throw new UsageError(`unrecognized option '--${text}'`);
  if (candidates.length > 1) {
    const names = candidates.map(({ long }) => `'--${long}'`).join(" ");
    throw new UsageError(`option '--${text}' is ambiguous; possibilities: ${names}`);
  }
  return candidates[0]!;
}

/** A bundle of one-letter options; one with an argument ends it. Found one by one, as they act. */
function* parseShorts<Name extends string>(
  options: readonly Option<Name>[],
  bundle: string,
  next: () => string | undefined,
): Generator<Found<Name>> {
  for (let at = 0; at < bundle.length; at++) {
    const letter = bundle[at]!;
    const option = options.find(({ short }) => short === letter);
    if (option === undefined) throw new UsageError(`invalid option -- '${letter}'`);
    if (option.argument === "none") {
      yield { option, value: undefined };
      continue;
    }
    const rest = bundle.slice(at + 1);
    const value = rest !== "" ? rest : option.argument === "required" ? next() : undefined;
    if (option.argument === "required" && value === undefined) {
      throw new UsageError(`option requires an argument -- '${letter}'`);
    }
    yield { option, value };
    return;
  }
}

/** What `--help` prints. SYNOPSIS is the command line after "Usage: ". */
export function formatArgpHelp(command: Command, synopsis: string): string {
  const parts = [`Usage: ${synopsis}\n${command.summary}.\n`];
  for (const [heading, options] of groupOptions(command.options)) {
    const entries = options.map((option) => {
      const name = spellOption(option);
      return formatEntry(option.short === undefined ? `    ${name}` : name, option.help);
    });
    parts.push(`${heading[0]!.toUpperCase()}${heading.slice(1)}:\n${entries.join("\n")}\n`);
  }
  if (command.epilogue !== undefined) parts.push(command.epilogue);
  return parts.join("\n");
}

/** What `--usage` prints: every option in brackets. */
export function formatArgpUsage(command: Command, positionals: string): string {
  const visible = command.options.filter((option) => !option.hidden);
  const flags = visible.flatMap(({ short, argument }) =>
    short !== undefined && argument === "none" ? [short] : []
  );
  const words = [
    `[-${flags.join("")}]`,
    ...visible.map((option) => `[${spellOption(option).replace(/^-., /, "")}]`),
    positionals,
  ];
  const lines = [`Usage: ${command.name}`];
  for (const word of words) {
    const line = `${lines.at(-1)} ${word}`;
    if (line.length <= USAGE_WIDTH) lines.splice(-1, 1, line);
    else lines.push(`            ${word}`);
  }
  return lines.join("\n") + "\n";
}

const USAGE_WIDTH = 79;
