// Strings that hold any bytes, and how they are shown.

import assert from "node:assert/strict";
import { decodeOsString, displayOsString, encodeOsString } from "../../ffi/os_string.ts";

/** Bytes, and what people see of them. */
const NAMES: readonly [bytes: readonly number[], shown: string][] = [
  [[...new TextEncoder().encode("plain, ä and 🐚")], "plain, ä and 🐚"],
  [[], ""],
  [[0x61, 0xff, 0x62], "a\\xffb"],
  [[0xc3], "\\xc3"],
  [[0xc3, 0xc3, 0xa4], "\\xc3ä"],
  // Too long for what they encode, and a surrogate: not UTF-8.
  [[0xc0, 0xaf], "\\xc0\\xaf"],
  [[0xed, 0xa0, 0x80], "\\xed\\xa0\\x80"],
  [[0x1b, 0x5b, 0x41, 0x0a, 0x7f], "\\x1b[A\\x0a\\x7f"],
  // Terminals take these for ESC [ and others.
  [[0xc2, 0x9b, 0xc2, 0x80], "\\u009b\\u0080"],
];

for (const [bytes, shown] of NAMES) {
  Deno.test(`OsStrings keep all bytes of ${shown}, and show them`, () => {
    const text = decodeOsString(Uint8Array.from(bytes));
    assert.deepEqual([...encodeOsString(text)], bytes);
    assert.equal(displayOsString(text), shown);
  });
}
