// Lines at the bottom of a terminal that are drawn anew as they change, while what is written through the
// region scrolls by above. Each write leaves the terminal as it found it, so there is nothing to restore,
// however the program ends.

import { encodeOsString } from "../ffi/os_string.ts";
import { cutLine } from "./line_width.ts";
import { writeBytes, type Writer } from "./standard_stream.ts";

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** No cursor that jumps about, and no line that goes on in the next: lines are counted. */
const BEGIN = "\x1b[?25l\x1b[?7l";
const END = "\x1b[?7h\x1b[?25h";
const ERASE_BELOW = "\x1b[J";

/** Without lines to show, what is written goes straight to the terminal. */
export class LiveRegion implements Writer {
  #shown: readonly string[] = [];

  constructor(readonly terminal: Writer, readonly size: () => TerminalSize) {}

  /** Shows LINES, as far as they fit, instead of those before. */
  show(lines: readonly string[]): void {
    const { columns, rows } = this.size();
    const cut = lines.slice(0, Math.max(rows - 1, 0)).map((line) => cutLine(line, columns - 1));
    if (cut.length === this.#shown.length && cut.every((line, at) => line === this.#shown[at])) {
      return;
    }
    this.#write(this.#erase(), cut);
  }

  /** BYTES end with a line's end. */
  writeSync(bytes: Uint8Array): number {
    if (this.#shown.length === 0) {
      writeBytes(this.terminal, bytes);
      return bytes.length;
    }
    const lines = this.#shown;
    writeBytes(this.terminal, encodeOsString(this.#erase()));
    writeBytes(this.terminal, bytes);
    this.#write("", lines);
    return bytes.length;
  }

  #erase(): string {
    const height = this.#shown.length;
    this.#shown = [];
    return height === 0 ? "" : `\r\x1b[${height}A${ERASE_BELOW}`;
  }

  #write(before: string, lines: readonly string[]): void {
    const text = lines.map((line) => `${line}\n`).join("");
    writeBytes(this.terminal, encodeOsString(`${BEGIN}${before}${text}${END}`));
    this.#shown = lines;
  }
}
