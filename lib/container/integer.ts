// Numbers as C programs read them: ch-run's options and variables (spec ch-run §1.4).

import { ChError } from "../error.ts";

/** A decimal C int, as strtol(3) reads it. NAME, the option's or variable's, is for messages. */
export function parseInteger(
  name: string,
  text: string,
  trailing: "refused" | "ignored" = "refused",
): number {
  const match = /^[ \t\n\v\f\r]*([+-]?\d+)(.*)$/s.exec(text);
  if (match === null) throw new ChError(`${name}: no digits found`);
  const value = Number(match[1]);
  if (value < -(2 ** 31) || value >= 2 ** 31) throw new ChError(`${name}: out of range`);
  if (match[2] !== "" && trailing === "refused") {
    throw new ChError(`${name}: extra characters after digits`);
  }
  return value;
}

/** The same for an ID. */
export function parseId(name: string, text: string): number {
  const value = parseInteger(name, text);
  if (value < 0) throw new ChError(`${name}: must be non-negative`);
  return value;
}
