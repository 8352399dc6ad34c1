// Lines about instructions (spec dockerfile §11).

import type { Directive, Ignored, IgnoredKeyword, Instruction } from "../dockerfile/instruction.ts";
import type { Log } from "../log/log.ts";

/** `*` its result was known, `.` it is executed, blank neither. */
export type Status = "*" | "." | " ";

export function announce(log: Log, { position }: Instruction, status: Status, text: string): void {
  log.info(`${String(position.line).padStart(3)}${status} ${text}`);
}

/** An instruction that does nothing: warns, and shows it nevertheless. */
export function announceIgnored(log: Log, instruction: Directive | Ignored): void {
  log.warning(
    instruction.kind === "directive"
      ? "not supported, ignored: parser directives"
      : `${REASONS[instruction.name]} ${instruction.keyword} instruction`,
  );
  announce(log, instruction, " ", `${instruction.keyword} (unsupported)`);
}

const NEVER = "not supported, ignored:";
const REASONS: Readonly<Record<IgnoredKeyword, string>> = {
  ADD: "not yet supported, ignored: issue #782:",
  CMD: "not yet supported, ignored: issue #780:",
  ENTRYPOINT: "not yet supported, ignored: issue #780:",
  EXPOSE: NEVER,
  HEALTHCHECK: NEVER,
  MAINTAINER: NEVER,
  ONBUILD: "not yet supported, ignored: issue #788:",
  STOPSIGNAL: NEVER,
  USER: NEVER,
  VOLUME: NEVER,
};
