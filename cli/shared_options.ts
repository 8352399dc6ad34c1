// Options that mean the same to several tools (spec other-tools §7, §8): parts of their tables. A
// table with headings spreads them: `{ ...HELP, group }`.

import type { Option } from "./options.ts";

export const HELP: Option<"help"> = {
  long: "help",
  short: "h",
  argument: "none",
  repeat: "idempotent",
  immediate: true,
  help: "print this help and exit",
};

export const VERSION_OPTION: Option<"version"> = {
  long: "version",
  argument: "none",
  repeat: "idempotent",
  immediate: true,
  help: "print the version and exit",
};

export const QUIET: Option<"quiet"> = {
  long: "quiet",
  short: "q",
  argument: "none",
  repeat: "count",
  help: "say less: -q nothing but warnings and errors, -qq errors only",
};

export const VERBOSE: Option<"verbose"> = {
  long: "verbose",
  short: "v",
  argument: "none",
  repeat: "count",
  help: "say more; up to three times",
};
