// What is said of an instruction that failed, beside the error itself: where it stands, what it printed
// last, what its status means, and whether root emulation has to do with it.

import { displayOsString } from "../../ffi/os_string.ts";
import { STATUS_EXEC, STATUS_FAIL } from "../container/plan.ts";
import { DamagedStateError } from "../cache/damaged_state.ts";
import { ChError } from "../error.ts";
import type { RunAction } from "./action.ts";
import type { Force, ForceMode } from "./force.ts";

/** ERROR of the instruction at LINE of FILE, announced as TEXT; line 0 or less is no line. */
export function locateFailure(error: ChError, file: string, line: number, text: string): ChError {
  // The stage is built again after that one, and has to know it.
  if (error instanceof DamagedStateError) return error;
  const place = line > 0 ? `${file}:${line}` : file;
  return new ChError(error.message, {
    hint: [`at ${place}: ${text}`, error.hint].filter((part) => part !== undefined).join(
      "\nhint: ",
    ),
    ..."cause" in error ? { cause: error.cause } : {},
  });
}

/** The error of a RUN that ended with STATUS, after the LINES of output. */
export function describeRunFailure(
  { argv }: Pick<RunAction, "argv">,
  status: number,
  lines: readonly string[],
  { mode }: Pick<Force, "mode">,
): ChError {
  const hints = [
    ...lines.length === 0
      ? []
      : [`it printed last:\n${lines.map((line) => `  ${displayOsString(line)}`).join("\n")}`],
    ...explainStatus(status),
    ...explainForce(mode, argv, lines),
  ];
  return new ChError(
    `build failed: RUN command exited with ${status}`,
    hints.length === 0 ? {} : { hint: hints.join("\nhint: ") },
  );
}

function explainStatus(status: number): string[] {
  switch (status) {
    case STATUS_EXEC:
      return ["the command could not be executed: is it in the image, and executable?"];
    case STATUS_FAIL:
      return ["the container could not be made, if ch-run said so above"];
    case 126:
      return ["126 is a shell’s word for a command that it found but could not execute"];
    case 127:
      return ["127 is a shell’s word for a command that is not in the image"];
    case -9:
    case 137:
      return ["signal 9 (SIGKILL): if you did not send it, memory may have run out"];
    default:
      return [];
  }
}

/** What fails for want of privilege says one of these. */
const NO_PRIVILEGE =
  /Operation not permitted|\bEPERM\b|must be root|are you root|cpio: chown|chown.*Invalid argument/i;

/** Programs known to change owners or to become other users. */
const PRIVILEGED =
  /\b(?:apk|apt|apt-get|aptitude|chgrp|chown|dnf|dpkg|install|microdnf|mknod|pacman|rpm|runuser|setpriv|su|tar|useradd|groupadd|yum|zypper)\b/;

function explainForce(
  mode: ForceMode,
  argv: readonly string[],
  lines: readonly string[],
): string[] {
  const isDenied = lines.some((line) => NO_PRIVILEGE.test(line));
  switch (mode) {
    case "none":
      if (isDenied) return ["it lacked privilege; --force=seccomp would help"];
      return argv.some((word) => PRIVILEGED.test(word))
        ? ["it may have lacked privilege; --force=seccomp could help"]
        : ["nothing points to privilege that it lacked: --force would hardly help"];
    case "seccomp":
      return isDenied
        ? ["it lacked privilege that --force=seccomp does not fake; --force=fakeroot might"]
        : [];
    case "fakeroot":
      return isDenied
        ? ["it lacked privilege that --force=fakeroot does not fake; --force=seccomp might"]
        : [];
    default:
      return mode satisfies never;
  }
}
