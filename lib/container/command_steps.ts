// The last steps of a plan: which command, where, and with what messages.

import type { Step } from "../../ffi/plan.ts";
import { ChError } from "../error.ts";
import { formatArgv } from "./argv_text.ts";
import { type FindImageFile, readImageCommand } from "./image_config.ts";
import type { RunOptions } from "./run_options.ts";
import { findVariable } from "./variables.ts";

export interface Command {
  readonly argv: readonly string[];
  /** "/" if undefined. */
  readonly cwd: string | undefined;
}

export function planCommand(
  { argv, cwd }: Command,
  verbosity: number,
  environment: readonly string[],
): Step[] {
  const steps: Step[] = [];
  if (cwd !== undefined) steps.push({ op: "chdir", path: cwd });
  if (verbosity >= 1) steps.push({ op: "log", text: `executing: ${formatArgv(argv)}` });
  steps.push({ op: "no_new_privs" });
  if (verbosity <= -1) steps.push({ op: "silence", stdout: true, stderr: verbosity <= -3 });
  steps.push({ op: "exec", argv, env: environment, search: findCommandSearch(environment) });
  return steps;
}

/** As other container programs have it: the user's words take the place of CMD, not of ENTRYPOINT. */
export function chooseImageCommand({ argv, cwd }: RunOptions, find: FindImageFile): Command {
  const image = readImageCommand(find);
  const words = [...image.entrypoint, ...argv.length > 0 ? argv : image.cmd];
  if (words.length === 0) {
    throw new ChError("--image-cmd: the image has neither ENTRYPOINT nor CMD", {
      hint: "say which command: ch-run IMAGE -- COMMAND",
    });
  }
  return { argv: words, cwd: cwd ?? image.cwd };
}

/** Where a command without a slash is looked for. */
export function findCommandSearch(environment: readonly string[]): string {
  return findVariable(environment, "PATH") ?? DEFAULT_SEARCH;
}

/** The C library's search path, where PATH is not set. */
const DEFAULT_SEARCH = "/bin:/usr/bin";
