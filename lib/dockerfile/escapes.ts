// Quoted text of ENV, LABEL, ARG and of lists: escapes as in C and Python. Single quotes are data.

/** A value, or the index of the character that makes it none. */
export type Decoded = { readonly value: string } | { readonly badAt: number };

const ESCAPE =
  /\\(?:([\\"'abfnrtv])|([0-7]{1,3})|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))/g;
const QUOTED = /"((?:[^"\\]|\\[^])*)"/y;
const SIMPLE: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/**
 * A value of ENV or LABEL: one or more quoted strings, which are put together, or bare text, which is
 * decoded as if it had been quoted. Anything in between is a mistake.
 */
export function decodeValue(raw: string): Decoded {
  return raw.startsWith('"') ? decodeQuotedStrings(raw) : decodeBareText(raw);
}

/** What stands between two quotes, with its escapes replaced; unknown ones keep the backslash. */
export function decodeEscapes(body: string): string {
  return body.replace(ESCAPE, (whole, simple, octal, hex, short, long) => {
    if (simple !== undefined) return SIMPLE[simple] ?? simple;
    const code = octal !== undefined ? parseInt(octal, 8) : parseInt(hex ?? short ?? long, 16);
    // Neither a NUL nor half a surrogate pair can be in an environment.
    const isText = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    return isText ? String.fromCodePoint(code) : whole;
  });
}

function decodeQuotedStrings(raw: string): Decoded {
  let value = "";
  let at = 0;
  while (at < raw.length) {
    QUOTED.lastIndex = at;
    const found = QUOTED.exec(raw);
    if (found === null) return { badAt: at };
    value += decodeEscapes(found[1]!);
    at = QUOTED.lastIndex;
    while (raw[at] === " " || raw[at] === "\t") at++;
  }
  return { value };
}

function decodeBareText(raw: string): Decoded {
  for (let at = 0; at < raw.length; at++) {
    if (raw[at] === '"') return { badAt: at };
    if (raw[at] !== "\\") continue;
    if (at + 1 === raw.length) return { badAt: at };
    at++;
  }
  return { value: decodeEscapes(raw) };
}
