// Option tables as data: parsers, help texts, man page tests and completion all read the same table.
// The parsers are cli/argparse.ts (ch-image, ch-convert) and cli/argp.ts (ch-run).

/** One option. Names are without dashes. */
export interface Option<Name extends string = string> {
  readonly long: Name;
  readonly short?: string;
  /** Whether an argument belongs to it; an optional one's syntax is the parser's matter. */
  readonly argument: "none" | "required" | "optional";
  /** Name of the argument in help texts. */
  readonly placeholder?: string;
  /** The only arguments allowed. */
  readonly choices?: readonly string[];
  readonly help: string;
  /** Heading that it stands under in the help text. */
  readonly group?: string;
  /** What giving it again does; for the help text, and for {@linkcode mergeGiven}. */
  readonly repeat: "last" | "count" | "list" | "idempotent";
  /** Options with the same name here exclude one another. */
  readonly exclusive?: string;
  /** Parsing ends here, e.g. --help: what follows is not looked at. */
  readonly immediate?: boolean;
  /** Other spellings of the long name. */
  readonly aliases?: readonly string[];
  /** Left out of the help text. */
  readonly hidden?: boolean;
}

/** One positional word, or several: as many as `count` says. */
export interface Positional {
  readonly name: string;
  readonly count: "one" | "optional" | "some" | "any";
  readonly help?: string;
}

/** What a tool or sub-command accepts. */
export interface Command<Name extends string = string> {
  /** As typed, e.g. "ch-image list". */
  readonly name: string;
  /** One line, no full stop. */
  readonly summary: string;
  /** Text after the options in the help text. */
  readonly epilogue?: string;
  readonly options: readonly Option<Name>[];
  readonly positionals: readonly Positional[];
}

/** An option as it was given. */
export interface Given<Name extends string = string> {
  readonly option: Option<Name>;
  /** Its argument; undefined if it had none. */
  readonly value: string | undefined;
}

/** What a command line says, options in the order given. */
export interface Arguments<Name extends string = string> {
  readonly given: readonly Given<Name>[];
  readonly positionals: readonly string[];
  /** The immediate option that ended the parsing, if one did. */
  readonly immediate: Name | undefined;
}

/** A mistake on the command line; the tool prints it with its usage, and knows its exit status. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A table whose names the compiler knows, so that a misspelt one in the code is an error. */
export function defineOptions<const Name extends string>(
  options: readonly Option<Name>[],
): readonly Option<Name>[] {
  return options;
}

export function isGiven<Name extends string>(args: Arguments<Name>, long: NoInfer<Name>): boolean {
  return countGiven(args, long) > 0;
}

/** How many times the option was given. */
export function countGiven<Name extends string>(
  args: Arguments<Name>,
  long: NoInfer<Name>,
): number {
  return args.given.filter((given) => given.option.long === long).length;
}

/** Argument of the option's last occurrence; undefined if not given, or given without. */
export function findValue<Name extends string>(
  args: Arguments<Name>,
  long: NoInfer<Name>,
): string | undefined {
  return args.given.findLast((given) => given.option.long === long)?.value;
}

/** Arguments of all occurrences, in order. */
export function listValues<Name extends string>(
  args: Arguments<Name>,
  long: NoInfer<Name>,
): readonly string[] {
  return args.given.flatMap(({ option, value }) =>
    option.long === long && value !== undefined ? [value] : []
  );
}

/**
 * Options given before a sub-command together with those after it: an option given after it forgets
 * everything said about it, or about one that excludes it, before (spec ch-image §1.1).
 */
export function mergeGiven<A extends string, B extends string>(
  before: readonly Given<A>[],
  after: readonly Given<B>[],
): readonly Given<A | B>[] {
  const isForgotten = ({ option }: Given<A>) =>
    after.some((later) =>
      later.option.long as string === option.long ||
      (option.exclusive !== undefined && later.option.exclusive === option.exclusive)
    );
  return [...before.filter((given) => !isForgotten(given)), ...after];
}

/** The option as documents write it: `-s, --storage=DIR`. */
export function spellOption(option: Option): string {
  const argument = option.placeholder ?? "ARG";
  const suffix = option.argument === "none"
    ? ""
    : option.argument === "optional"
    ? `[=${argument}]`
    : `=${argument}`;
  const long = `--${option.long}${suffix}`;
  return option.short === undefined ? long : `-${option.short}, ${long}`;
}

/** What COMMAND can be given, each way of writing it: `-s`, `--storage`. Man pages are held against it. */
export function listSpellings(command: Command): readonly string[] {
  return command.options.filter(({ hidden }) => !hidden).flatMap((option) => [
    ...option.short === undefined ? [] : [`-${option.short}`],
    ...[option.long, ...option.aliases ?? []].map((name) => `--${name}`),
  ]);
}
