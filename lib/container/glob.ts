// fnmatch(3) with FNM_EXTMATCH in the C locale, as `--unset-env` wants it (spec ch-run §5.4). Works on
// bytes: `?` is one byte, classes know ASCII only.
//
//   *  ?  [a-z]  [!a-z]  [[:alpha:]]  \x  ?(a|b)  *(a|b)  +(a|b)  @(a|b)  !(a|b)
//
// A matcher gets the position in the text where to go on and a continuation that must match the rest.

import { encodeOsString } from "../../ffi/os_string.ts";

/** True if PATTERN matches the whole of TEXT; both are OsStrings. */
export function matchGlob(pattern: string, text: string): boolean {
  const subject = encodeOsString(text);
  return matchFrom(encodeOsString(pattern), 0, subject, 0, (at) => at === subject.length);
}

type Rest = (at: number) => boolean;

const STAR = 0x2a, QUESTION = 0x3f, PLUS = 0x2b, AT = 0x40, BANG = 0x21, CARET = 0x5e;
const OPEN = 0x28, CLOSE = 0x29, BAR = 0x7c, BRACKET = 0x5b, UNBRACKET = 0x5d;
const BACKSLASH = 0x5c, DASH = 0x2d, COLON = 0x3a, EQUALS = 0x3d, DOT = 0x2e;

function matchFrom(
  pattern: Uint8Array,
  from: number,
  text: Uint8Array,
  at: number,
  rest: Rest,
): boolean {
  if (from === pattern.length) return rest(at);
  const first = pattern[from]!;
  const next = (after: number) => (position: number) =>
    matchFrom(pattern, after, text, position, rest);

  if (pattern[from + 1] === OPEN && isExtended(first)) {
    const group = readGroup(pattern, from + 2);
    if (group !== undefined) return matchGroup(first, group, text, at, next(group.after));
  }
  switch (first) {
    case STAR:
      for (let end = at; end <= text.length; end++) {
        if (next(from + 1)(end)) return true;
      }
      return false;
    case QUESTION:
      return at < text.length && next(from + 1)(at + 1);
    case BRACKET: {
      if (at === text.length) return false;
      const bracket = matchBracket(pattern, from + 1, text[at]!);
      if (bracket === undefined) break;
      return bracket.matches && next(bracket.after)(at + 1);
    }
    case BACKSLASH:
      // A backslash at the end quotes nothing and matches nothing.
      return from + 1 < pattern.length && pattern[from + 1] === text[at] &&
        next(from + 2)(at + 1);
  }
  return first === text[at] && next(from + 1)(at + 1);
}

function isExtended(byte: number): boolean {
  return byte === STAR || byte === QUESTION || byte === PLUS || byte === AT || byte === BANG;
}

interface PatternGroup {
  readonly alternatives: readonly Uint8Array[];
  readonly after: number;
}

/** The alternatives up to the closing parenthesis; undefined if there is none. */
function readGroup(pattern: Uint8Array, from: number): PatternGroup | undefined {
  const alternatives: Uint8Array[] = [];
  let start = from;
  let depth = 0;
  for (let i = from; i < pattern.length; i++) {
    const byte = pattern[i]!;
    if (byte === BACKSLASH) {
      i++;
    } else if (byte === BRACKET) {
      i = skipBracket(pattern, i + 1);
    } else if (byte === OPEN && isExtended(pattern[i - 1]!) && i > from) {
      depth++;
    } else if (byte === CLOSE && depth-- === 0) {
      alternatives.push(pattern.subarray(start, i));
      return { alternatives, after: i + 1 };
    } else if (byte === BAR && depth === 0) {
      alternatives.push(pattern.subarray(start, i));
      start = i + 1;
    }
  }
  return undefined;
}

/** Index of the "]" that ends the bracket begun before FROM; of its "[" if nothing does. */
function skipBracket(pattern: Uint8Array, from: number): number {
  const bracket = matchBracket(pattern, from, 0);
  return bracket === undefined ? from - 1 : bracket.after - 1;
}

function matchGroup(
  operator: number,
  group: PatternGroup,
  text: Uint8Array,
  at: number,
  rest: Rest,
): boolean {
  const one = (from: number, then: Rest) =>
    group.alternatives.some((pattern) => matchFrom(pattern, 0, text, from, then));
  /** Once more, or on; each turn must eat something, else it would turn for ever. */
  const many = (from: number): boolean =>
    rest(from) || one(from, (position) => position > from && many(position));

  switch (operator) {
    case QUESTION:
      return rest(at) || one(at, rest);
    case AT:
      return one(at, rest);
    case STAR:
      return many(at);
    case PLUS:
      return one(at, many);
    default:
      for (let end = at; end <= text.length; end++) {
        if (!one(at, (position) => position === end) && rest(end)) return true;
      }
      return false;
  }
}

interface BracketMatch {
  readonly matches: boolean;
  readonly after: number;
}

/** Bracket expression whose "[" is before FROM; undefined if it is not closed. */
function matchBracket(pattern: Uint8Array, from: number, byte: number): BracketMatch | undefined {
  let i = from;
  const negated = pattern[i] === BANG || pattern[i] === CARET;
  if (negated) i++;
  let matches = false;
  for (let first = true; i < pattern.length; first = false) {
    if (pattern[i] === UNBRACKET && !first) return { matches: matches !== negated, after: i + 1 };

    const named = readClass(pattern, i);
    if (named !== undefined) {
      const isMember = CLASSES[named.name];
      // As in glibc: a class nobody knows makes the whole pattern match nothing.
      if (isMember === undefined) return { matches: false, after: pattern.length + 1 };
      matches ||= isMember(byte);
      i = named.after;
      continue;
    }
    const low = readElement(pattern, i);
    if (low === undefined) return undefined;
    let high = low;
    if (pattern[low.after] === DASH && pattern[low.after + 1] !== UNBRACKET) {
      const end = readElement(pattern, low.after + 1);
      if (end === undefined) return undefined;
      high = end;
    }
    matches ||= byte >= low.byte && byte <= high.byte;
    i = high.after;
  }
  return undefined;
}

/** One byte of a bracket: plain, quoted, `[.x.]` or `[=x=]`. */
function readElement(
  pattern: Uint8Array,
  at: number,
): { byte: number; after: number } | undefined {
  if (at >= pattern.length) return undefined;
  const byte = pattern[at]!;
  if (byte === BACKSLASH) {
    return at + 1 < pattern.length ? { byte: pattern[at + 1]!, after: at + 2 } : undefined;
  }
  const mark = pattern[at + 1];
  const isNamed = byte === BRACKET && (mark === DOT || mark === EQUALS) &&
    pattern[at + 3] === mark && pattern[at + 4] === UNBRACKET;
  return isNamed ? { byte: pattern[at + 2]!, after: at + 5 } : { byte, after: at + 1 };
}

/** `[:name:]` at AT. */
function readClass(
  pattern: Uint8Array,
  at: number,
): { name: string; after: number } | undefined {
  if (pattern[at] !== BRACKET || pattern[at + 1] !== COLON) return undefined;
  let name = "";
  for (let i = at + 2; i < pattern.length; i++) {
    const byte = pattern[i]!;
    if (byte === COLON && pattern[i + 1] === UNBRACKET) return { name, after: i + 2 };
    if (byte < 0x61 || byte > 0x7a) return undefined;
    name += String.fromCharCode(byte);
  }
  return undefined;
}

const isDigit = (c: number) => c >= 0x30 && c <= 0x39;
const isUpper = (c: number) => c >= 0x41 && c <= 0x5a;
const isLower = (c: number) => c >= 0x61 && c <= 0x7a;
const isAlpha = (c: number) => isUpper(c) || isLower(c);
const isAlnum = (c: number) => isAlpha(c) || isDigit(c);
const isGraph = (c: number) => c > 0x20 && c < 0x7f;

const CLASSES: Readonly<Record<string, (byte: number) => boolean>> = {
  alnum: isAlnum,
  alpha: isAlpha,
  blank: (c) => c === 0x20 || c === 0x09,
  cntrl: (c) => c < 0x20 || c === 0x7f,
  digit: isDigit,
  graph: isGraph,
  lower: isLower,
  print: (c) => isGraph(c) || c === 0x20,
  punct: (c) => isGraph(c) && !isAlnum(c),
  space: (c) => c === 0x20 || (c >= 0x09 && c <= 0x0d),
  upper: isUpper,
  xdigit: (c) => isDigit(c) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66),
};
