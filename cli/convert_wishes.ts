// How the user wants an output written: numbers and sizes out of options and variables.

import type { OutputWishes } from "../lib/convert/output_options.ts";
import { ChError } from "../lib/error.ts";
import type { ConvertOption } from "./convert_options.ts";
import { type Arguments, findValue } from "./options.ts";

/** Throws a ChError for what is no number. What an output can do is checked where it is known. */
export function readWishes(args: Arguments<ConvertOption>): OutputWishes {
  const level = findValue(args, "level"), blockSize = findValue(args, "block-size");
  return {
    compression: findValue(args, "comp"),
    level: level === undefined ? undefined : parseNumber(level, "--level"),
    blockSize: blockSize === undefined ? undefined : parseSize(blockSize),
    owner: findValue(args, "owner") as OutputWishes["owner"],
  };
}

/** SOURCE_DATE_EPOCH; not set and empty are the same. Throws a ChError. */
export function readEpoch(value: string | undefined): number | undefined {
  return value ? parseNumber(value, "SOURCE_DATE_EPOCH") : undefined;
}

function parseSize(text: string): number {
  const [, digits = "", unit = ""] = /^([0-9]+)([KkMm]?)$/.exec(text) ?? [];
  const factor = { "": 1, k: 1024, m: 1024 ** 2 }[unit.toLowerCase()]!;
  return parseNumber(digits === "" ? text : digits, "--block-size") * factor;
}

function parseNumber(text: string, name: string): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new ChError(`not a whole number: ${name}=${text}`);
}
