// What the user asks of ch-run, as planning wants it: checked, nothing left to look up on the command
// line.

import type { Bind } from "./binds.ts";
import type { EnvironmentChange } from "./environment.ts";

export interface RunOptions {
  /** Name before [PID] in messages. */
  readonly program: string;
  /** -3 (`-qqq`) … 3 (`-vvv`). */
  readonly verbosity: number;
  /** The command and its arguments. */
  readonly argv: readonly string[];
  /** `--cd`; "/" if undefined. */
  readonly cwd: string | undefined;
  readonly uid: number;
  readonly gid: number;
  readonly binds: readonly Bind[];
  /** `--home`: the caller's $HOME. */
  readonly home: string | undefined;
  /** $USER, which names home directory and default mount point. */
  readonly user: string;
  readonly privateTmp: boolean;
  readonly passwd: boolean;
  readonly seccomp: boolean;
  readonly write: boolean;
  /** `--write-fake`: size of the overlay's tmpfs. */
  readonly overlaySize: string | undefined;
  /** `--set-env`, `--set-env0`, `--unset-env`, in order. */
  readonly environment: readonly EnvironmentChange[];
  readonly expand: boolean;
}
