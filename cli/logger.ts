// The log of ch-image and ch-convert: which levels are shown, in which shape, and where (spec ch-image
// §3). ch-run has its own form (spec ch-run §9).

import type { Log, LogLevel, Progress } from "../lib/log/log.ts";
import { describeError, traceError } from "./error_text.ts";
import { ProgressMeter } from "./progress_meter.ts";
import { type Writer, writeText } from "./standard_stream.ts";
import { Valve } from "./valve.ts";

export interface LoggerSettings {
  /** -3 (only errors) to 3 (everything). */
  readonly verbosity: number;
  /** Where lines go. */
  readonly writer: Writer;
  /** Whether that is a terminal, where progress lines are rewritten. */
  readonly isTerminal: boolean;
  /** Whether meters are not for anything else; by default that gets a line a second. */
  readonly hasMeterOnTerminalOnly?: boolean;
  /** Whether to colour lines there. */
  readonly hasColour: boolean;
  /** Whether it shows typographic quotes. */
  readonly isUnicode: boolean;
  /** Whether each line begins with process and time. */
  readonly hasFestoon: boolean;
  /** Whether fatal errors come with a trace. */
  readonly hasTrace: boolean;
}

/** Somebody between the log and where its lines go. */
export interface LogWatcher {
  /** Takes the lines' place of writing. */
  readonly writer?: Writer;
  /** Gets each message that would be shown; returns whether it still is. */
  readonly onMessage?: (level: LogLevel, message: string, hint: string | undefined) => boolean;
  /** Takes the place of meters. */
  readonly onProgress?: Log["progress"];
}

const LEAST_VERBOSITY: Readonly<Record<LogLevel, number>> = {
  error: -3,
  warning: -1,
  info: 0,
  verbose: 1,
  debug: 2,
  trace: 3,
};

const COLOURS: Readonly<Record<LogLevel, string>> = {
  error: "1;31",
  warning: "31",
  info: "33",
  verbose: "38;5;14",
  debug: "38;5;6",
  trace: "38;5;6",
};

const SILENT: Progress = { update() {}, [Symbol.dispose]() {} };

export class Logger implements Log {
  /** For all that shares the log's terminal. */
  readonly valve = new Valve();
  readonly #warnings: string[] = [];
  /** Whether a meter's line is open on the terminal. */
  #isLineOpen = false;
  #watcher: LogWatcher = {};

  constructor(readonly settings: LoggerSettings) {}

  error(message: string, hint?: string): void {
    this.#say("error", message, hint);
  }

  warning(message: string, hint?: string): void {
    this.#warnings.push(message);
    this.#say("warning", message, hint);
  }

  info(message: string): void {
    this.#say("info", message);
  }

  verbose(message: string): void {
    this.#say("verbose", message);
  }

  debug(message: string): void {
    this.#say("debug", message);
  }

  trace(message: string): void {
    this.#say("trace", message);
  }

  progress(message: string, total: number | undefined): Progress {
    if (!this.shows("info")) return SILENT;
    if (this.#watcher.onProgress !== undefined) return this.#watcher.onProgress(message, total);
    const { isTerminal, hasFestoon, hasMeterOnTerminalOnly = false } = this.settings;
    if (hasMeterOnTerminalOnly && !isTerminal) return SILENT;
    const isRewritten = isTerminal && !hasFestoon;
    return new ProgressMeter(
      {
        show: (line) => isRewritten ? this.#rewrite(line) : this.#log("info", line),
        close: () => this.#closeLine(),
        now: () => performance.now(),
      },
      message,
      total,
    );
  }

  /** Whether messages of LEVEL are shown. */
  shows(level: LogLevel): boolean {
    return this.settings.verbosity >= LEAST_VERBOSITY[level];
  }

  /** WATCHER is there until disposed of. */
  watch(watcher: LogWatcher): Disposable {
    this.#closeLine();
    this.#watcher = watcher;
    return { [Symbol.dispose]: () => this.#watcher = {} };
  }

  /** The last words: an error that ends the program, with its hint and, if wanted, its trace. */
  fatal(error: unknown): void {
    const hint = error instanceof Error && "hint" in error ? error.hint : undefined;
    this.error(describeError(error), typeof hint === "string" ? hint : undefined);
    if (this.settings.hasTrace) this.#log("error", `trace: ${traceError(error)}`);
  }

  /** Shows all warnings again, so that none is missed; for the end of a run. */
  reprintWarnings(): void {
    if (this.#warnings.length === 0) return;
    this.#log("warning", `warning: reprinting ${this.#warnings.length} warning(s)`);
    for (const message of this.#warnings) this.#log("warning", `warning: ${message}`);
  }

  #say(level: LogLevel, message: string, hint?: string): void {
    if (!this.shows(level)) return;
    if (this.#watcher.onMessage?.(level, message, hint) === false) return;
    const isMarked = level === "error" || level === "warning";
    this.#log(level, isMarked ? `${level}: ${message}` : message, hint);
  }

  #log(level: LogLevel, message: string, hint?: string): void {
    if (!this.shows(level)) return;
    this.#closeLine();
    const text = hint === undefined ? message : `${message}\nhint: ${hint}`;
    const lines = text.split("\n").map((line) =>
      this.#festoon() + this.#colour(level, line) + "\n"
    );
    this.#write(lines.join(""));
  }

  #rewrite(line: string): void {
    this.#write(`\r${this.#colour("info", line)}`);
    this.#isLineOpen = true;
  }

  #closeLine(): void {
    if (this.#isLineOpen) this.#write("\n");
    this.#isLineOpen = false;
  }

  #colour(level: LogLevel, line: string): string {
    return this.settings.hasColour ? `\x1b[${COLOURS[level]}m${line}\x1b[0m` : line;
  }

  #festoon(): string {
    if (!this.settings.hasFestoon) return "";
    const now = new Date();
    const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
    return `${String(Deno.pid).padStart(5)} ${local.toISOString().slice(0, 23)}  `;
  }

  #write(text: string): void {
    const shown = this.settings.isUnicode ? text : degradeQuotes(text);
    this.valve.pass(() => writeText(this.#watcher.writer ?? this.settings.writer, shown));
  }
}

/** Typographic characters as ASCII ones. */
export function degradeQuotes(text: string): string {
  return text.replaceAll("’", "'").replace(/[“”]/g, '"').replaceAll("≠", "!=");
}

/** Whether a locale, given by its environment variables, is one that uses UTF-8. */
export function isUnicodeLocale(environment: ReadonlyMap<string, string>): boolean {
  const locale = ["LC_ALL", "LC_CTYPE", "LANG"].map((name) => environment.get(name)).find(Boolean);
  return /utf-?8/i.test(locale ?? "");
}
