// The text of a Dockerfile: decoded, with one kind of line end, and able to say where an offset lies
// and to show it.

import { TextError } from "../error.ts";
import type { Position } from "./instruction.ts";

/** Characters shown on either side of a mistake. */
const EXCERPT_SPAN = 39;

export interface DockerfileSource {
  /** As messages name it. */
  readonly file: string;
  /** Lines end in LF alone; the last one may lack it. */
  readonly text: string;
}

/** Decodes a Dockerfile. Throws a TextError where it is not UTF-8, or has a NUL. */
export function decodeDockerfile(file: string, bytes: Uint8Array): DockerfileSource {
  const text = decodeText(file, bytes).replace(/\r\n?/g, "\n");
  const source = { file, text };
  const nul = text.indexOf("\0");
  if (nul >= 0) throw new DockerfileError(source, nul, "text");
  return source;
}

function decodeText(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw newEncodingError(file, bytes);
  }
}

/** A mistake in the Dockerfile, with the line it is in and a caret below it. */
export class DockerfileError extends TextError {
  constructor(
    source: DockerfileSource,
    offset: number,
    /** What would have been right there, for `-v`. */
    readonly expected: string,
  ) {
    const { line, column } = positionOf(source.text, offset);
    super(
      source.file,
      line,
      column,
      `can’t parse: ${source.file}:${line},${column}\n\n${excerptOf(source.text, offset)}`,
    );
  }
}

export function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: [...text.slice(lineStart, offset)].length + 1 };
}

function excerptOf(text: string, offset: number): string {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  const lineEnd = text.indexOf("\n", offset);
  const before = [...text.slice(offset === 0 ? 0 : lineStart, offset)].slice(-EXCERPT_SPAN);
  const after = [...text.slice(offset, lineEnd < 0 ? undefined : lineEnd)].slice(0, EXCERPT_SPAN);
  // A tab above must be a tab below, else the caret is off.
  const indent = before.map((char) => char === "\t" ? "\t" : " ").join("");
  return `${before.join("")}${after.join("")}\n${indent}^\n`;
}

/** Decoding in stream mode fails at the first byte that cannot go on; bisects for that byte. */
function newEncodingError(file: string, bytes: Uint8Array): TextError {
  const decodeHead = (length: number) =>
    new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      decodeHead(middle);
      good = middle;
    } catch {
      bad = middle;
    }
  }
  const head = decodeHead(good).replace(/\r\n?/g, "\n");
  const { line, column } = positionOf(head, head.length);
  return new TextError(file, line, column, `can’t parse: ${file}:${line},${column}: not UTF-8`);
}
