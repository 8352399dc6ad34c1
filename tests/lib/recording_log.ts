// A log that keeps what it is told, one line a message, "LEVEL: TEXT" but for info.

import type { Log, Progress } from "../../lib/log/log.ts";

export class RecordingLog implements Log {
  readonly lines: string[] = [];

  error(message: string, hint?: string): void {
    this.#add(`error: ${message}`, hint);
  }

  warning(message: string, hint?: string): void {
    this.#add(`warning: ${message}`, hint);
  }

  info(message: string): void {
    this.#add(message);
  }

  verbose(message: string): void {
    this.#add(`verbose: ${message}`);
  }

  debug(message: string): void {
    this.#add(`debug: ${message}`);
  }

  trace(message: string): void {
    this.#add(`trace: ${message}`);
  }

  progress(message: string, total: number | undefined): Progress {
    this.#add(`progress: ${message} of ${total}`);
    return { update() {}, [Symbol.dispose]() {} };
  }

  /** What was said, without verbose and below. */
  get visible(): readonly string[] {
    return this.lines.filter((line) => !/^(verbose|debug|trace|progress): /.test(line));
  }

  #add(message: string, hint?: string): void {
    this.lines.push(message);
    if (hint !== undefined) this.lines.push(`hint: ${hint}`);
  }
}
