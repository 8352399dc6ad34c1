// How RUN's commands are made to believe that they are root (spec dockerfile §10).

import { ChError } from "../error.ts";
import { DEFAULT_FORCE_COMMANDS, type ForceCommand, parseForceCommand } from "./force_command.ts";

/** `seccomp`: system calls that need root succeed without effect. `fakeroot`: by fakeroot(1). */
export const FORCE_MODES = ["seccomp", "fakeroot", "none"] as const;

export type ForceMode = typeof FORCE_MODES[number];

export interface Force {
  readonly mode: ForceMode;
  /** Used in seccomp mode. */
  readonly commands: readonly ForceCommand[];
}

/** From the options `--force` (undefined: not given) and `--force-cmd`. */
export function chooseForce(mode: ForceMode | undefined, commands: readonly string[]): Force {
  if (commands.length === 0) {
    return { mode: mode ?? "seccomp", commands: DEFAULT_FORCE_COMMANDS };
  }
  if (mode === "fakeroot") {
    throw new ChError("--force-cmd and --force=fakeroot are incompatible");
  }
  return { mode: "seccomp", commands: commands.map(parseForceCommand) };
}
