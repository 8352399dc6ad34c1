// What lib/ says while it works. Where it goes, and in which shape, is cli's business.

/** From what is always shown to what only `-vvv` shows (spec ch-image §3.2, ch-run §9.2). */
export type LogLevel = "error" | "warning" | "info" | "verbose" | "debug" | "trace";

/** One line of progress that is rewritten on a terminal (spec ch-image §3.5). */
export interface Progress extends Disposable {
  /** DONE of the total units so far. */
  update(done: number): void;
}

export interface Log {
  error(message: string, hint?: string): void;
  warning(message: string, hint?: string): void;
  info(message: string): void;
  verbose(message: string): void;
  debug(message: string): void;
  trace(message: string): void;
  /** TOTAL is in bytes; undefined when it is not known. */
  progress(message: string, total: number | undefined): Progress;
}
