// A progress meter's text and pace (spec ch-image §3.5); showing it is the logger's business.

import type { Progress } from "../lib/log/log.ts";

const MEBIBYTE = 2 ** 20;
const INTERVAL = 1000;

export interface Display {
  /** Shows LINE in place of the meter's line before. */
  show(line: string): void;
  /** The last line shown stays. */
  close(): void;
  /** Milliseconds of a clock. */
  now(): number;
}

/** Shows its first line at once, then at most one a second, and always the last one. */
export class ProgressMeter implements Progress {
  #done = 0;
  #shownAt: number;
  #shown: string;
  #isClosed = false;

  constructor(
    readonly display: Display,
    readonly message: string,
    readonly total: number | undefined,
  ) {
    this.#shown = formatProgress(message, 0, total);
    this.#shownAt = display.now();
    display.show(this.#shown);
  }

  update(done: number): void {
    this.#done = done;
    if (this.display.now() - this.#shownAt >= INTERVAL) this.#show();
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#show();
    this.display.close();
  }

  #show(): void {
    const line = formatProgress(this.message, this.#done, this.total);
    if (line === this.#shown) return;
    this.#shown = line;
    this.#shownAt = this.display.now();
    this.display.show(line);
  }
}

/** `MSG: 1.0/2.0 MiB (50%)`; DONE and TOTAL are bytes. */
export function formatProgress(message: string, done: number, total: number | undefined): string {
  const mebibytes = (done / MEBIBYTE).toFixed(1);
  if (total === undefined) return `${message}: ${mebibytes} MiB`;
  const totalMebibytes = (total / MEBIBYTE).toFixed(1);
  const percent = total === 0 ? 100 : Math.floor(done / total * 100);
  return totalMebibytes === "0.0" && mebibytes === "0.0"
    ? `${message}: ${percent}%`
    : `${message}: ${mebibytes}/${totalMebibytes} MiB (${percent}%)`;
}
