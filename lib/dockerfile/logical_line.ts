// Physical lines joined at continuations: what an instruction is made of. A logical line remembers
// where each of its characters stands in the file and where it was joined.

import { CHARLIECLOUD, type Dialect } from "./dialect.ts";

export class LogicalLine {
  readonly text: string;
  /** Offset in the file of what comes after this line. */
  readonly next: number;
  readonly #pieces: readonly Piece[];

  /** Reads the logical line of SOURCE that begins at OFFSET. */
  constructor(source: string, offset: number, dialect = CHARLIECLOUD) {
    const pieces: Piece[] = [];
    let text = "";
    let at = offset;
    for (;;) {
      const newline = source.indexOf("\n", at);
      const end = newline < 0 ? source.length : newline;
      const line = source.slice(at, end);
      const next = newline < 0 ? end : newline + 1;
      if (pieces.length > 0 && isLeftOut(line, dialect)) {
        at = next;
        if (at === source.length) break;
        continue;
      }
      const kept = newline < 0 ? line.length : lengthBeforeContinuation(line, dialect.escape);
      pieces.push({ at: text.length, offset: at });
      text += line.slice(0, kept);
      at = next;
      if (kept === line.length || at === source.length) break;
    }
    this.text = text;
    this.next = at;
    this.#pieces = pieces;
  }

  /** Where character INDEX stands in the file; for the text's length, where the line ends. */
  offsetOf(index: number): number {
    const piece = this.#pieces.findLast((piece) => piece.at <= index)!;
    return piece.offset + index - piece.at;
  }

  /** Was a continuation removed just before character INDEX? */
  isJoined(index: number): boolean {
    return this.#pieces.some((piece, number) => number > 0 && piece.at === index);
  }

  /** The first joint in (FROM, TO), if any. */
  findJoint(from: number, to: number): number | undefined {
    return this.#pieces.find((piece, number) => number > 0 && piece.at > from && piece.at < to)?.at;
  }
}

interface Piece {
  /** Index in the joined text. */
  readonly at: number;
  /** Offset in the file. */
  readonly offset: number;
}

/** Docker leaves comments and empty lines out of a continued line; upstream takes them as text. */
function isLeftOut(line: string, { rules }: Dialect): boolean {
  return rules === "docker" && /^[ \t]*(?:#|$)/.test(line);
}

/**
 * How much of LINE counts if it is continued; all of it if it is not. One backslash at the end
 * continues, two or more are literal; with blanks in between the last backslash continues in any case.
 */
function lengthBeforeContinuation(line: string, escape: string): number {
  const trimmed = line.replace(/[ \t]+$/, "");
  if (!trimmed.endsWith(escape)) return line.length;
  if (trimmed.length === line.length && trimmed.endsWith(escape + escape)) return line.length;
  return trimmed.length - 1;
}
