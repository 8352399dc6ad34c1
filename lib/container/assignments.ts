// What `--set-env` takes: assignments, files of them, and the expansion of their values (spec ch-run
// §5.3).

import { decodeOsString } from "../../ffi/os_string.ts";
import { ChError } from "../error.ts";

export interface Assignment {
  readonly name: string;
  /** Before expansion. */
  readonly value: string;
}

/** What ends a record: newline for `--set-env`, NUL for `--set-env0`. */
export type Separator = "\n" | "\0";

const FORM = "each line is NAME=VALUE; there are no comments";

/** One `NAME=VALUE`; WHERE is for messages. */
export function parseAssignment(text: string, where: string): Assignment {
  const at = text.indexOf("=");
  if (at < 0) throw new ChError(`can't parse variable: no delimiter: ${where}`, { hint: FORM });
  if (at === 0) throw new ChError(`can't parse variable: empty name: ${where}`, { hint: FORM });
  return { name: text.slice(0, at), value: unquote(text.slice(at + 1)) };
}

/** The assignments of a file, whose name PATH is for messages only. */
export function parseAssignments(
  content: Uint8Array,
  separator: Separator,
  path: string,
): Assignment[] {
  const assignments: Assignment[] = [];
  decodeOsString(content).split(separator).forEach((record, index) => {
    const text = record.split("\0", 1)[0]!.replace(/\n$/, "");
    if (text !== "") assignments.push(parseAssignment(text, `${path}:${index + 1}`));
  });
  return assignments;
}

/** VALUE with each `$NAME` between colons replaced; one that is unset or empty goes with its colon. */
export function expandValue(value: string, find: (name: string) => string | undefined): string {
  if (!value.includes("$")) return value;
  const items: string[] = [];
  for (const item of value.split(":")) {
    if (!item.startsWith("$") || item.length === 1) {
      items.push(item);
      continue;
    }
    const replacement = find(item.slice(1)) ?? "";
    if (replacement !== "") items.push(replacement);
  }
  return items.join(":");
}

function unquote(value: string): string {
  return value.length >= 2 && value.startsWith("'") && value.endsWith("'")
    ? value.slice(1, -1)
    : value;
}
