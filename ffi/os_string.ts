// Bytes of the operating system (arguments, environment, file names) as JavaScript strings, without
// loss: a byte that is no part of valid UTF-8 becomes the lone surrogate U+DC00 + byte, as PEP 383
// has it. Text stays text, everything else survives the way back.

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
// deno-lint-ignore no-control-regex
const isAscii = /^[\x00-\x7f]*$/;
const hasEscapedByte = /[\udc80-\udcff]/;

/** Bytes → string; lossless, see the top of this file. */
export function decodeOsString(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeEscaping(bytes);
  }
}

/** String → bytes, the inverse of {@linkcode decodeOsString}. */
export function encodeOsString(text: string): Uint8Array<ArrayBuffer> {
  if (isAscii.test(text) || !hasEscapedByte.test(text)) return encoder.encode(text);
  const parts: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) parts.push(code - 0xdc00);
    else parts.push(...encoder.encode(char));
  }
  return Uint8Array.from(parts);
}

/** As {@linkcode encodeOsString}, with the NUL that C wants. Throws a TypeError if TEXT has a NUL. */
export function encodeCString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new TypeError(`string with a NUL byte: ${JSON.stringify(text)}`);
  return encodeOsString(text + "\0");
}

/** For people: escaped bytes and control characters of ASCII shown as \xHH, those of Unicode as \uHHHH. */
export function displayOsString(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\udc80-\udcff\x00-\x1f\x7f-\x9f]/g, (char) => {
    const code = char.charCodeAt(0);
    if (0x80 <= code && code <= 0x9f) return `\\u00${code.toString(16)}`;
    return `\\x${(code >= 0xdc80 ? code - 0xdc00 : code).toString(16).padStart(2, "0")}`;
  });
}

function decodeEscaping(bytes: Uint8Array): string {
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 + bytes[at]!);
      at++;
    } else {
      text += strict.decode(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return text;
}

/** Length of the valid UTF-8 sequence at AT, 0 if there is none (RFC 3629). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  try {
    strict.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}
