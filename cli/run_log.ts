// ch-run's messages (spec ch-run §9.1 to §9.4):
//
//     NAME[PID]: [error: |warning: ]TEXT[: REASON] (FILE:LINE[ ERRNO])

import { encodeOsString } from "../ffi/os_string.ts";
import { SystemError } from "../ffi/system_error.ts";
import { ChError } from "../lib/error.ts";
import { findSourcePlace, type SourcePlace } from "./source_place.ts";
import { type Writer, writeText } from "./standard_stream.ts";

export type RunLogLevel = "warning" | "info" | "verbose" | "debug" | "trace";

/** Verbosity that shows a level; errors are always shown. */
const LEAST_VERBOSITY: Readonly<Record<RunLogLevel, number>> = {
  warning: -1,
  info: 0,
  verbose: 1,
  debug: 2,
  trace: 3,
};

/** Bytes of warnings that are kept to be printed again; each counts one more, for its end. */
const KEPT_MAX = 4096;

export class RunLog {
  /** -3 (`-qqq`) … 3 (`-vvv`); options change it as they are met. */
  verbosity = 0;
  readonly #kept: string[] = [];
  #keptSize = 0;
  #isFull = false;

  constructor(
    /** Name before [PID]. */
    readonly program: string,
    readonly pid: number,
    readonly writer: Writer,
  ) {}

  /** A failure: message, reason, place, and what to do about it. */
  error(error: Error): void {
    const system = findSystemError(error);
    const text = error instanceof SystemError ? "please report this bug" : error.message;
    const reason = system === undefined ? "" : `: ${system.message}`;
    this.#print(`error: ${text}${reason} ${formatPlace(error, system)}`);
    if (error instanceof ChError && error.hint !== undefined) this.#print(`hint: ${error.hint}`);
  }

  warning(text: string): void {
    if (!this.#shows("warning")) return;
    const line = this.#print(`warning: ${text} ${formatPlace(new Error(), undefined)}`);
    this.#keep(line);
  }

  log(level: RunLogLevel, text: string): void {
    if (level === "warning") this.warning(text);
    else if (this.#shows(level)) this.#print(`${text} ${formatPlace(new Error(), undefined)}`);
  }

  verbose(text: string): void {
    this.log("verbose", text);
  }

  debug(text: string): void {
    this.log("debug", text);
  }

  trace(text: string): void {
    this.log("trace", text);
  }

  /** What repeats the warnings so far; empty if there were none. */
  get warnings(): string {
    if (this.#kept.length === 0) return "";
    const header = `reprinting first ${this.#kept.length} warning(s)`;
    return this.#format(`warning: ${header} ${formatPlace(new Error(), undefined)}`) +
      this.#kept.join("");
  }

  /** To be called before the process exits by itself. */
  repeatWarnings(): void {
    if (this.#kept.length > 0) writeText(this.writer, this.warnings);
  }

  #shows(level: RunLogLevel): boolean {
    return this.verbosity >= LEAST_VERBOSITY[level];
  }

  #keep(line: string): void {
    const size = encodeOsString(line).length + 1;
    this.#isFull ||= this.#keptSize + size > KEPT_MAX;
    if (this.#isFull) return;
    this.#kept.push(line);
    this.#keptSize += size;
  }

  #print(text: string): string {
    const line = this.#format(text);
    writeText(this.writer, line);
    return line;
  }

  #format(text: string): string {
    return `${this.program}[${this.pid}]: ${text}\n`;
  }
}

function findSystemError(error: Error): SystemError | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof SystemError) return at;
  }
  return undefined;
}

/** Where in the source: of the failed call in C, else of the error itself or of the message. */
function formatPlace(error: Error, system: SystemError | undefined): string {
  if (system !== undefined && system.line > 0) {
    return `(${system.file}:${system.line}${formatErrno(system)})`;
  }
  const { file, line } = findThrowingPlace(error) ?? { file: "?", line: 0 };
  return `(${file}:${line}${formatErrno(system)})`;
}

/** What only makes, or passes on, a message or an error is not where it comes from. */
const PASSING_ON: readonly string[] = ["run_log.ts", "failure.ts", "error.ts", "system_error.ts"];

function findThrowingPlace(error: Error): SourcePlace | undefined {
  for (const frame of (error.stack ?? "").split("\n").slice(1)) {
    const place = findSourcePlace(frame);
    if (place !== undefined && !PASSING_ON.includes(place.file)) return place;
  }
  return undefined;
}

function formatErrno(system: SystemError | undefined): string {
  return system === undefined || system.errno === 0 ? "" : ` ${system.errno}`;
}
