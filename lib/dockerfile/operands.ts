// Operands that several instructions have: options, words, pairs of name and value.

import type { Cursor, Terminal } from "./cursor.ts";
import { type Decoded, decodeEscapes, decodeValue } from "./escapes.ts";
import type { InstructionOption, Pair } from "./instruction.ts";

export const NAME: Terminal = { pattern: /[^ \t=]+/y, name: "name" };
const VALUE: Terminal = { pattern: /[^ \t=]+/y, name: "word" };
/** Docker's: quotes and escapes keep blanks in a word. */
const SHELL_WORD: Readonly<Record<"\\" | "`", Terminal>> = {
  "\\": { pattern: /(?:\\[^]|"(?:\\[^]|[^"\\])*"|'[^']*'|[^ \t"'\\]|\\$)+/y, name: "word" },
  "`": { pattern: /(?:`[^]|"(?:`[^]|[^"`])*"|'[^']*'|[^ \t"'`]|`$)+/y, name: "word" },
};

/** Options as OPTION has them, up to the first word that is none. */
export function readOptions(cursor: Cursor, option: Terminal): InstructionOption[] {
  const options: InstructionOption[] = [];
  for (;;) {
    const found = cursor.find(option);
    if (found === undefined) return options;
    options.push(splitOption(found.slice(2)));
    cursor.readSpace("operand");
  }
}

/** `name=value`; `arg=key=value`; `name` alone, which is switched on. */
function splitOption(text: string): InstructionOption {
  const equals = text.indexOf("=");
  if (equals < 0) return { name: text, key: undefined, value: "true" };
  const [name, rest] = [text.slice(0, equals), text.slice(equals + 1)];
  const second = rest.indexOf("=");
  if (second < 0 || !/^[a-z]+$/.test(rest.slice(0, second)) || name !== "arg") {
    return { name, key: undefined, value: rest };
  }
  return { name, key: rest.slice(0, second), value: rest.slice(second + 1) };
}

/** At least two words up to the end of the line; blanks at the end belong to none. */
export function readWords(cursor: Cursor, word: Terminal): string[] {
  const words = [cursor.read(word)];
  cursor.readSpace(word.name);
  words.push(cursor.read(word));
  while (cursor.skipSpace() && !cursor.isAtEnd) words.push(cursor.read(word));
  cursor.readEnd();
  return words;
}

/** One word or more. */
export function readSomeWords(cursor: Cursor, word: Terminal): string[] {
  const words = [cursor.read(word)];
  while (cursor.skipSpace() && !cursor.isAtEnd) words.push(cursor.read(word));
  cursor.readEnd();
  return words;
}

/** The operands of ENV and LABEL: `NAME REST`, or `NAME=VALUE` as often as wanted. */
export function readPairs(cursor: Cursor): Pair[] {
  if (cursor.isDocker) return readDockerPairs(cursor, "value");
  const first = cursor.read(NAME);
  if (!cursor.findText("=")) {
    cursor.readSpace("= or value");
    const start = cursor.at;
    return [{ name: first, value: checkValue(cursor, start, decodeValue(cursor.readRest())) }];
  }
  const pairs = [{ name: first, value: readPairValue(cursor) }];
  while (/[^ \t]/.test(cursor.rest)) {
    cursor.readSpace("NAME=VALUE");
    const name = cursor.read(NAME);
    if (!cursor.findText("=")) cursor.fail("=");
    pairs.push({ name, value: readPairValue(cursor) });
  }
  cursor.readEnd();
  return pairs;
}

/** ARG: in Docker's rules any number, with or without values. */
export function readArguments(
  cursor: Cursor,
): { readonly name: string; readonly value: string | undefined }[] {
  if (cursor.isDocker) return readDockerArguments(cursor);
  const name = cursor.read(NAME);
  let value: string | undefined;
  if (cursor.findText("=")) {
    const quoted = findWholeWord(cursor);
    value = quoted === undefined ? cursor.read(VALUE) : decodeEscapes(quoted.slice(1, -1));
  }
  cursor.readEnd();
  return [{ name, value }];
}

/** Values as written: quotes are taken away when variables are replaced. */
function readDockerPairs(cursor: Cursor, rest: string): Pair[] {
  const word = SHELL_WORD[cursor.dialect.escape];
  const start = cursor.at;
  const words: { readonly at: number; readonly text: string }[] = [];
  do {
    words.push({ at: cursor.at, text: cursor.read(word) });
    if (words.length === 1 && !words[0]!.text.includes("=")) {
      cursor.readSpace(rest);
      return [{ name: words[0]!.text, value: cursor.readRest() }];
    }
  } while (cursor.skipSpace() && !cursor.isAtEnd);
  return words.map(({ at, text }) => {
    const equals = text.indexOf("=");
    if (equals <= 0) cursor.fail("NAME=VALUE", equals < 0 ? at : start);
    return { name: text.slice(0, equals), value: text.slice(equals + 1) };
  });
}

function readDockerArguments(cursor: Cursor) {
  const start = cursor.at;
  return readSomeWords(cursor, SHELL_WORD[cursor.dialect.escape]).map((word) => {
    const equals = word.indexOf("=");
    if (equals === 0) cursor.fail("name", start);
    return equals < 0
      ? { name: word, value: undefined }
      : { name: word.slice(0, equals), value: word.slice(equals + 1) };
  });
}

function readPairValue(cursor: Cursor): string {
  const start = cursor.at;
  const raw = findWholeWord(cursor) ?? cursor.read(VALUE);
  return checkValue(cursor, start, decodeValue(raw));
}

/** A quoted string if a blank or the end of the line follows it. */
function findWholeWord(cursor: Cursor): string | undefined {
  const length = /^"(?:[^"\\]|\\[^])*"(?=[ \t]|$)/.exec(cursor.rest)?.[0].length;
  if (length === undefined) return undefined;
  return cursor.findQuoted() ??
    cursor.fail("closing quote", cursor.line.findJoint(cursor.at, cursor.at + length)!);
}

function checkValue(cursor: Cursor, start: number, decoded: Decoded): string {
  if ("badAt" in decoded) cursor.fail("quoted or unquoted text", start + decoded.badAt);
  return decoded.value;
}
