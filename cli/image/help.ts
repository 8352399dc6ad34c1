// Help texts of ch-image: the general one and those of its sub-commands.

import { formatEntry, formatHelp } from "../help.ts";
import type { Command } from "../options.ts";
import { COMMON_OPTIONS, type CommonOption } from "./common_options.ts";
import type { SubCommand } from "./sub_command.ts";
import { SUB_COMMANDS } from "./table.ts";

/** ch-image itself, as far as its own options go. */
export const CH_IMAGE: Command<CommonOption> = {
  name: "ch-image",
  summary: "Build and manage images, completely unprivileged",
  options: COMMON_OPTIONS,
  positionals: [{ name: "SUBCOMMAND", count: "one" }, { name: "ARG", count: "any" }],
  epilogue: "Common options may stand before or after the sub-command. " +
    "For a sub-command’s own\noptions: ch-image SUBCOMMAND --help.",
};

/** SUB with the options that all sub-commands have. */
export function withCommonOptions<Name extends string>(
  sub: SubCommand<Name>,
): Command<Name | CommonOption> {
  return { ...sub, options: [...sub.options, ...COMMON_OPTIONS] };
}

export function formatGeneralHelp(): string {
  const entries = Object.entries(SUB_COMMANDS)
    .map(([name, { summary }]) => formatEntry(name, summary));
  const [usage, summary, ...rest] = formatHelp(CH_IMAGE).split("\n\n");
  return [usage, summary, ["sub-commands:", ...entries].join("\n"), ...rest].join("\n\n");
}
