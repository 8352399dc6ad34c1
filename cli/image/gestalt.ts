// ch-image gestalt: tells something about the program itself, without touching the storage directory.

import { ChError } from "../../lib/error.ts";
import { defineOptions, isGiven, UsageError } from "../options.ts";
import { findProgram } from "../program_search.ts";
import type { Context, SubCommand } from "./sub_command.ts";

const OPTIONS = defineOptions([
  {
    long: "fail",
    argument: "none",
    repeat: "idempotent",
    help: "with “logging”: end with an error",
  },
]);

export const gestalt: SubCommand<"fail"> = {
  name: "ch-image gestalt",
  summary: "Tell something about ch-image itself; say nothing without SELECTOR",
  options: OPTIONS,
  positionals: [{
    name: "SELECTOR",
    count: "optional",
    help:
      "storage-path: path of the storage directory. python-path: path of the interpreter, which " +
      "is this program. logging: one message of each level. bucache, bucache-dot: whether there " +
      "can be a build cache, which is always so, and whether it can be drawn.",
  }],
  run(context, args) {
    tell(context, args.positionals[0], isGiven(args, "fail"));
    return Promise.resolve(0);
  },
};

/** Its name in older versions. */
export const storagePath: SubCommand = {
  name: "ch-image storage-path",
  summary: "Print the path of the storage directory; same as “ch-image gestalt storage-path”",
  options: [],
  positionals: [],
  run(context) {
    tell(context, "storage-path", false);
    return Promise.resolve(0);
  },
};

function tell(context: Context, selector: string | undefined, fail: boolean): void {
  if (fail && selector !== "logging") throw new UsageError("--fail goes with “logging” only");
  switch (selector) {
    case undefined:
      return;
    case "storage-path":
      return context.print(context.settings.storagePath);
    case "python-path":
      return context.print(Deno.execPath());
    case "bucache":
      return;
    case "bucache-dot":
      return requireProgram("dot", context.environment.get("PATH") ?? "");
    case "logging":
      return logEverything(context, fail);
    default:
      throw new UsageError(`argument SELECTOR: invalid choice: '${selector}'`);
  }
}

/** Throws a ChError if it is not in SEARCH, the caller's $PATH. */
function requireProgram(name: string, search: string): void {
  if (findProgram(name, search) !== undefined) return;
  throw new ChError(`${name} failed with exit code 127, assuming not present`);
}

function logEverything({ log }: Context, fail: boolean): void {
  for (const level of ["trace", "debug", "verbose", "info", "warning", "error"] as const) {
    log[level](level);
  }
  if (fail) throw new ChError("the program failed inexplicably");
}
