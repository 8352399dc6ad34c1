// PAX extended headers (POSIX.1-2001, "pax Extended Header"): records "LENGTH KEY=VALUE\n", LENGTH
// counting the whole record in decimal. Values are bytes: extended attributes hold anything.

import { decodeOsString, encodeOsString } from "../../ffi/os_string.ts";

export type PaxRecords = ReadonlyMap<string, Uint8Array>;

/** A malformed record. */
export class PaxError extends Error {
  override readonly name = "PaxError";
}

/** Calls VISIT for each record in order; keys can come more than once. Throws PaxError. */
export function parsePaxRecords(
  data: Uint8Array,
  visit: (key: string, value: Uint8Array) => void,
): void {
  for (let at = 0; at < data.length && data[at] !== 0;) {
    const blank = data.indexOf(0x20, at);
    const digits = blank < 0 || blank - at > 10 ? "" : decodeOsString(data.subarray(at, blank));
    const length = /^[0-9]+$/.test(digits) ? Number(digits) : 0;
    const end = at + length - 1;
    const equals = data.indexOf(0x3d, blank);
    if (length === 0 || end >= data.length || data[end] !== 0x0a || equals < 0 || equals >= end) {
      throw new PaxError("malformed extended header");
    }
    // A copy: the data may lie in a buffer that is soon used again.
    const key = decodeOsString(data.subarray(blank + 1, equals));
    if (key.includes("\0")) throw new PaxError("malformed extended header");
    visit(key, data.slice(equals + 1, end));
    at = end + 1;
  }
}

export function formatPaxRecords(records: Iterable<readonly [string, Uint8Array]>) {
  const parts = [...records].map(([key, value]) => formatRecord(encodeOsString(key), value));
  const data = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return data;
}

/** The length counts its own digits. */
function formatRecord(key: Uint8Array, value: Uint8Array): Uint8Array {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  const head = encodeOsString(`${length} `);
  const record = new Uint8Array(length);
  record.set(head, 0);
  record.set(key, head.length);
  record[head.length + key.length] = 0x3d;
  record.set(value, head.length + key.length + 1);
  record[length - 1] = 0x0a;
  return record;
}

/** "1700000000.25" → whole seconds and nanoseconds; undefined if it is none. */
export function parsePaxTime(text: string): { mtime: number; mtimeNsec: number } | undefined {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, fraction = ""] = match;
  const nsec = Number(fraction.slice(0, 9).padEnd(9, "0"));
  if (sign === "") return { mtime: Number(whole), mtimeNsec: nsec };
  // -1.25 is two whole seconds before, and 0.75 on.
  if (nsec === 0) return { mtime: 0 - Number(whole), mtimeNsec: 0 };
  return { mtime: -Number(whole) - 1, mtimeNsec: 1e9 - nsec };
}

export function formatPaxTime(mtime: number, mtimeNsec: number): string {
  if (mtimeNsec === 0) return String(mtime);
  const isNegative = mtime < 0;
  const whole = isNegative ? -(mtime + 1) : mtime;
  const nsec = isNegative ? 1e9 - mtimeNsec : mtimeNsec;
  const fraction = String(nsec).padStart(9, "0").replace(/0+$/, "");
  return `${isNegative ? "-" : ""}${whole}.${fraction}`;
}
