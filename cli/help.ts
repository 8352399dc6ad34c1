// Usage lines and help texts, made from the tables of cli/options.ts.

import { type Command, type Option, type Positional, spellOption } from "./options.ts";

const WIDTH = 80;
const HELP_COLUMN = 26;

/** `usage: ch-image list [OPTION...] [IMAGE_REF]`, without a newline. */
export function formatUsage(command: Command): string {
  return ["usage:", command.name, "[OPTION...]", ...command.positionals.map(spellPositional)]
    .join(" ");
}

/** The whole text that --help prints, with a newline at its end. */
export function formatHelp(command: Command): string {
  const parts = [formatUsage(command), wrap(command.summary + ".", 0)];
  const described = command.positionals.filter(({ help }) => help !== undefined);
  if (described.length > 0) {
    const lines = described.map(({ name, help }) => formatEntry(name, help!));
    parts.push(["arguments:", ...lines].join("\n"));
  }
  for (const [heading, options] of groupOptions(command.options)) {
    parts.push([`${heading}:`, ...options.map(formatOption)].join("\n"));
  }
  if (command.epilogue !== undefined) parts.push(command.epilogue.trimEnd());
  return parts.join("\n\n") + "\n";
}

/** Options to be shown by heading, in the order of their first appearance. */
export function groupOptions(options: readonly Option[]): ReadonlyMap<string, readonly Option[]> {
  const groups = new Map<string, Option[]>();
  for (const option of options) {
    if (option.hidden) continue;
    const heading = option.group ?? "options";
    groups.set(heading, [...groups.get(heading) ?? [], option]);
  }
  return groups;
}

/** One line of a table: NAME in the left column, TEXT wrapped in the right one. */
export function formatEntry(name: string, text: string): string {
  const left = `  ${name}`;
  const right = wrap(text, HELP_COLUMN);
  return left.length + 2 <= HELP_COLUMN
    ? left.padEnd(HELP_COLUMN) + right.trimStart()
    : `${left}\n${right}`;
}

function formatOption(option: Option): string {
  const name = option.short === undefined ? `    ${spellOption(option)}` : spellOption(option);
  return formatEntry(name, option.help);
}

function spellPositional({ name, count }: Positional): string {
  switch (count) {
    case "one":
      return name;
    case "optional":
      return `[${name}]`;
    case "some":
      return `${name}...`;
    case "any":
      return `[${name}...]`;
    default:
      return count satisfies never;
  }
}

/** TEXT broken into lines, each after INDENT spaces. */
function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.map((each) => " ".repeat(indent) + each).join("\n");
}
