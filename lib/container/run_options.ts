// What the user asks of ch-run, as planning wants it: checked, nothing left to look up on the command
// line.

import type { Edits } from "../cdi/spec.ts";
import type { Bind } from "./binds.ts";
import type { EnvironmentChange } from "./environment.ts";
import type { Join } from "./join.ts";

export interface RunOptions {
  /** Name before [PID] in messages. */
  readonly program: string;
  /** -3 (`-qqq`) … 3 (`-vvv`). */
  readonly verbosity: number;
  /** The command and its arguments; with `imageCommand` those of the image's entry point, if any. */
  readonly argv: readonly string[];
  /** `--cd`; "/" if undefined. */
  readonly cwd: string | undefined;
  /** `--image-cmd`: run ENTRYPOINT and CMD of the image, in its WORKDIR unless `cwd` is given. */
  readonly imageCommand: boolean;
  readonly uid: number;
  readonly gid: number;
  readonly binds: readonly Bind[];
  /** `--device`: what containers need for the devices. */
  readonly devices?: readonly Edits[];
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
  /** `--overlay`: directory of the layer that stays, as given. */
  readonly overlayDir: string | undefined;
  /** `--set-env`, `--set-env0`, `--unset-env`, in order. */
  readonly environment: readonly EnvironmentChange[];
  readonly expand: boolean;
  /** `--join` and its relations. */
  readonly join: Join | undefined;
}
