// The grammar of Dockerfiles (upstream's language, spec dockerfile §3), one function for each rule:
//
//   arg     ARG NAME[=WORD|"…"]            label    LABEL (NAME REST | NAME=VALUE…)
//   copy    COPY [--k=v…] (LIST | WORD…)   rsync    RSYNC|NSYNC [+x] WORD…
//   env     ENV (NAME REST | NAME=VALUE…)  run      RUN (LIST | REST)
//   from    FROM [--k=v…] IMAGE [AS ALIAS] shell    SHELL LIST
//   ignored ADD|CMD|… REST                 workdir  WORKDIR REST
//
// Blanks at the end belong to REST and to nothing else.

import type { Cursor, Terminal } from "./cursor.ts";
import { type Decoded, decodeEscapes, decodeValue } from "./escapes.ts";
import {
  type Arg,
  type Copy,
  type Env,
  type From,
  type Ignored,
  IGNORED_KEYWORDS,
  type IgnoredKeyword,
  type Instruction,
  type InstructionOption,
  type Label,
  type Pair,
  type Position,
  type Rsync,
  type Run,
  type Shell,
  type Workdir,
} from "./instruction.ts";
import { positionOf } from "./source.ts";

const NAME: Terminal = { pattern: /[^ \t=]+/y, name: "name" };
const WORD: Terminal = { pattern: /[^ \t=]+/y, name: "word" };
const ANY_WORD: Terminal = { pattern: /[^ \t]+/y, name: "word" };
const PATH: Terminal = { pattern: /[^ \t=]+/y, name: "path" };
// “@” for digests is ours.
const IMAGE: Terminal = { pattern: /[${}A-Za-z0-9:._/@-]+/y, name: "image reference" };
const ALIAS: Terminal = { pattern: /[a-z0-9_.-]+/y, name: "stage alias in lower case" };
const OPTION: Terminal = {
  pattern: /--[a-z]+=(?:[a-z]+=)?[^= \t]+(?=[ \t]|$)/y,
  name: "option",
};
const AS: Terminal = { pattern: /as(?=[ \t]|$)/iy, name: "AS" };
/** A list, but for continuations inside its strings. */
const LIST = /^\[[ \t]*"(?:[^"\\]|\\[^])*"(?:,[ \t]*"(?:[^"\\]|\\[^])*")*[ \t]*\][ \t]*$/;
const PLUS: Terminal = { pattern: /\+[a-z](?=[ \t]|$)/y, name: "plus option" };

interface Head {
  readonly position: Position;
  readonly keyword: string;
}

/** The instruction on the cursor's line. Throws a DockerfileError at the first offending character. */
export function readInstruction(cursor: Cursor): Instruction {
  cursor.skipSpace();
  const head = {
    position: positionOf(cursor.source.text, cursor.line.offsetOf(cursor.at)),
    keyword: cursor.findKeyword(),
  };
  const keyword = head.keyword.toUpperCase();
  const rule = isIgnored(keyword) ? readIgnored : RULES[keyword];
  if (rule === undefined) cursor.fail("instruction");
  cursor.findText(head.keyword);
  cursor.readSpace("operand");
  return rule(cursor, head);
}

const RULES: Readonly<Record<string, (cursor: Cursor, head: Head) => Instruction>> = {
  ARG: readArg,
  COPY: readCopy,
  ENV: readEnv,
  FROM: readFrom,
  LABEL: readLabel,
  NSYNC: readRsync,
  RSYNC: readRsync,
  RUN: readRun,
  SHELL: readShell,
  WORKDIR: readWorkdir,
};

function readArg(cursor: Cursor, head: Head): Arg {
  const name = cursor.read(NAME);
  let value: string | undefined;
  if (cursor.findText("=")) {
    const quoted = findWholeWord(cursor);
    value = quoted === undefined ? cursor.read(WORD) : decodeEscapes(quoted.slice(1, -1));
  }
  cursor.readEnd();
  return { kind: "arg", ...head, name, value };
}

function readCopy(cursor: Cursor, head: Head): Copy {
  const options = readOptions(cursor);
  const paths = LIST.test(cursor.rest) ? cursor.readList() : readWords(cursor, PATH);
  return { kind: "copy", ...head, options, paths };
}

function readEnv(cursor: Cursor, head: Head): Env {
  const start = cursor.at;
  const pairs = readPairs(cursor);
  // A quote can be no part of a variable's name; of a label's it can.
  if (pairs.some((pair) => pair.name.includes('"'))) cursor.fail("unquoted name", start);
  return { kind: "env", ...head, pairs };
}

function readFrom(cursor: Cursor, head: Head): From {
  const options = readOptions(cursor);
  const image = cursor.read(IMAGE);
  let alias: string | undefined;
  if (cursor.skipSpace() && cursor.find(AS) !== undefined) {
    cursor.readSpace(ALIAS.name);
    alias = cursor.read(ALIAS);
  }
  cursor.readEnd(alias === undefined ? "AS or end of line" : "end of line");
  return { kind: "from", ...head, options, image, alias };
}

function readIgnored(cursor: Cursor, head: Head): Ignored {
  cursor.readRest();
  return { kind: "ignored", ...head, name: head.keyword.toUpperCase() as IgnoredKeyword };
}

function readLabel(cursor: Cursor, head: Head): Label {
  return { kind: "label", ...head, pairs: readPairs(cursor) };
}

function readRsync(cursor: Cursor, head: Head): Rsync {
  const plus = cursor.find(PLUS)?.slice(1);
  if (plus !== undefined) cursor.readSpace("word");
  return { kind: "rsync", ...head, plus, words: readWords(cursor, ANY_WORD) };
}

function readRun(cursor: Cursor, head: Head): Run {
  const argv = cursor.findList();
  if (argv !== undefined) return { kind: "run", ...head, form: "list", argv };
  return { kind: "run", ...head, form: "shell", command: cursor.readRest() };
}

function readShell(cursor: Cursor, head: Head): Shell {
  return { kind: "shell", ...head, argv: cursor.readList() };
}

function readWorkdir(cursor: Cursor, head: Head): Workdir {
  return { kind: "workdir", ...head, path: cursor.readRest() };
}

/** At least two words up to the end of the line. */
function readWords(cursor: Cursor, terminal: Terminal): string[] {
  const words = [cursor.read(terminal)];
  do {
    cursor.readSpace(terminal.name);
    words.push(cursor.read(terminal));
  } while (/[^ \t]/.test(cursor.rest));
  cursor.readEnd();
  return words;
}

function readOptions(cursor: Cursor): InstructionOption[] {
  const options: InstructionOption[] = [];
  for (;;) {
    const found = cursor.find(OPTION);
    if (found === undefined) return options;
    const [name, ...rest] = found.slice(2).split("=");
    options.push({ name: name!, key: rest.length > 1 ? rest[0] : undefined, value: rest.at(-1)! });
    cursor.readSpace("operand");
  }
}

/** The operands of ENV and LABEL: `NAME REST`, or `NAME=VALUE` as often as wanted. */
function readPairs(cursor: Cursor): Pair[] {
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

function readPairValue(cursor: Cursor): string {
  const start = cursor.at;
  const raw = findWholeWord(cursor) ?? cursor.read(WORD);
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

function isIgnored(keyword: string): keyword is IgnoredKeyword {
  return (IGNORED_KEYWORDS as readonly string[]).includes(keyword);
}
