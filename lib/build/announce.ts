// Lines about instructions (spec dockerfile §11).

import { isSupported } from "../dockerfile/dialect.ts";
import type { Directive, Instruction } from "../dockerfile/instruction.ts";
import type { Log } from "../log/log.ts";

/** `*` its result was known, `.` it is executed, blank neither. */
export type Status = "*" | "." | " ";

export function announce(log: Log, { position }: Instruction, status: Status, text: string): void {
  log.info(`${String(position.line).padStart(3)}${status} ${text}`);
}

/** A parser directive of no effect: warns, and shows it nevertheless. One that has effect says nothing. */
export function announceDirective(log: Log, directive: Directive): void {
  if (isSupported(directive)) return;
  log.warning("not supported, ignored: parser directives");
  announce(log, directive, " ", `${directive.keyword} (unsupported)`);
}
