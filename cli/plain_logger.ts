// The log of the tools that upstream wrote as shell scripts, ch-convert and ch-fromhost: on standard error, without
// colour there unless asked, -q and -v in the same measure (spec other-tools §8).

import { isUnicodeLocale, Logger } from "./logger.ts";

export interface PlainLoggerSettings {
  /** How many times -q and -v were given. Both exclude one another; whoever knows says so. */
  readonly quiet: number;
  readonly verbose: number;
  readonly environment: ReadonlyMap<string, string>;
  readonly hasColour: boolean;
}

export function newPlainLogger(
  { quiet, verbose, environment, hasColour }: PlainLoggerSettings,
): Logger {
  const isTerminal = Deno.stderr.isTerminal();
  return new Logger({
    verbosity: quiet > 0 && verbose > 0 ? 0 : Math.max(-3, Math.min(3, verbose - quiet)),
    writer: Deno.stderr,
    isTerminal,
    hasMeterOnTerminalOnly: true,
    hasColour: hasColour && isTerminal,
    isUnicode: isUnicodeLocale(environment),
    hasFestoon: false,
    hasTrace: false,
  });
}

/** "NAME=VALUE" entries as a map; of several values the last counts. */
export function parseEnvironment(entries: readonly string[]): ReadonlyMap<string, string> {
  return new Map(entries.map((entry) => {
    const at = entry.indexOf("=");
    return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
  }));
}
