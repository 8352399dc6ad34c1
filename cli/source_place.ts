// Where in our source a line of a stack trace lies. In the executable all of a tool is one script; its
// source map (ECMA-426) stays in the file until something fails.

import { readPart } from "../ffi/own_file.ts";

export interface SourcePlace {
  /** Name of the file, without directories. */
  readonly file: string;
  readonly line: number;
}

/** The place that FRAME, a line of Error.stack, tells of. The small engine's have no column. */
export function findSourcePlace(frame: string): SourcePlace | undefined {
  const match = /([^/(\s]+\.[jt]s)(?:, <anonymous>)?:(\d+)(?::(\d+))?\)?$/.exec(frame);
  if (match === null) return undefined;
  const [, file = "", line, column] = match;
  const place = { file, line: Number(line) };
  if (!file.endsWith(".js")) return place;
  return (column === undefined
    ? findInTable(place.line)
    : findOriginal(place.line, Number(column))) ??
    place;
}

/** Bytes of a line in the table that the small engine has: "FILE:LINE", padded (tools/line_table.ts). */
export const TABLE_WIDTH = 40;

function findInTable(line: number): SourcePlace | undefined {
  const bytes = readPart("CH_LINES", (line - 1) * TABLE_WIDTH, TABLE_WIDTH);
  const [file = "", number] = new TextDecoder().decode(bytes ?? new Uint8Array()).trim().split(":");
  return number === undefined ? undefined : { file, line: Number(number) };
}

interface SourceMap {
  readonly sources: readonly string[];
  readonly mappings: string;
}

let opened: SourceMap | undefined;

function openSourceMap(): SourceMap | undefined {
  const bytes = opened === undefined ? readPart("CH_MAP") : undefined;
  return opened ??= bytes && JSON.parse(new TextDecoder().decode(bytes));
}

function findOriginal(line: number, column: number): SourcePlace | undefined {
  const map = openSourceMap();
  if (map === undefined) return undefined;
  const found = findSegment(map.mappings, line - 1, column - 1);
  if (found === undefined) return undefined;
  const path = map.sources[found.source] ?? "";
  return { file: path.slice(path.lastIndexOf("/") + 1), line: found.line + 1 };
}

interface Segment {
  readonly source: number;
  readonly line: number;
}

/** The last segment of generated LINE that begins at or before COLUMN; all count from 0. BEFORE is the last
 * one before MAPPINGS, if these are not the whole. */
export function findSegment(
  mappings: string,
  line: number,
  column: number,
  before: Segment = { source: 0, line: 0 },
): Segment | undefined {
  let { source, line: original } = before;
  let found: Segment | undefined;
  for (const [at, segments] of mappings.split(";", line + 1).entries()) {
    let generated = 0;
    for (const segment of segments === "" ? [] : segments.split(",")) {
      const [step = 0, sourceStep = 0, lineStep = 0] = decodeNumbers(segment);
      generated += step;
      source += sourceStep;
      original += lineStep;
      if (at === line && generated <= column) found = { source, line: original };
    }
  }
  return found;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Base 64 VLQ: five bits a digit, lowest first; the sign is the lowest bit of all. */
function decodeNumbers(text: string): number[] {
  const numbers: number[] = [];
  let value = 0, shift = 0;
  for (const char of text) {
    const digit = DIGITS.indexOf(char);
    value |= (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = shift = 0;
  }
  return numbers;
}
