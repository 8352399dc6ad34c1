// How the user wants an output written: numbers and sizes out of options and variables.

import type { OutputWishes } from "../lib/convert/output_options.ts";
import type { ConvertOption } from "./convert_options.ts";
import { type Arguments, findValue } from "./options.ts";
import { parseWholeNumber } from "./whole_number.ts";

/** Throws a ChError for what is no number. What an output can do is checked where it is known. */
export function readWishes(args: Arguments<ConvertOption>): OutputWishes {
  const level = findValue(args, "level"), blockSize = findValue(args, "block-size");
  return {
    compression: findValue(args, "comp"),
    level: level === undefined ? undefined : parseWholeNumber(level, "--level"),
    blockSize: blockSize === undefined ? undefined : parseSize(blockSize),
    owner: findValue(args, "owner") as OutputWishes["owner"],
  };
}

/** SOURCE_DATE_EPOCH; not set and empty are the same. Throws a ChError. */
export function readEpoch(value: string | undefined): number | undefined {
  return value ? parseWholeNumber(value, "SOURCE_DATE_EPOCH") : undefined;
}

function parseSize(text: string): number {
  const [, digits = "", unit = ""] = /^([0-9]+)([KkMm]?)$/.exec(text) ?? [];
  const factor = { "": 1, k: 1024, m: 1024 ** 2 }[unit.toLowerCase()]!;
  return parseWholeNumber(digits === "" ? text : digits, "--block-size") * factor;
}
