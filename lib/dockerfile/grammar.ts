// The grammar of Dockerfiles (upstream's language, spec dockerfile §3, and Docker's), one function for
// each rule; those about how the image is run are in grammar_settings.ts:
//
//   arg     ARG NAME[=WORD|"…"]            label    LABEL (NAME REST | NAME=VALUE…)
//   copy    COPY|ADD [--k[=v]…] (LIST | WORD…)
//   env     ENV (NAME REST | NAME=VALUE…)  rsync    RSYNC|NSYNC [+x] WORD…
//   from    FROM [--k=v…] IMAGE [AS ALIAS] run      RUN [--k=v…] (LIST | REST)
//   workdir WORKDIR REST                   shell    SHELL LIST
//
// Blanks at the end belong to REST and to nothing else.

import type { Cursor, Terminal } from "./cursor.ts";
import { SETTING_RULES } from "./grammar_settings.ts";
import type {
  Arg,
  Copy,
  Env,
  From,
  Instruction,
  Label,
  Position,
  Rsync,
  Run,
  Shell,
  Workdir,
} from "./instruction.ts";
import { readArguments, readOptions, readPairs, readWords } from "./operands.ts";
import { positionOf } from "./source.ts";

const ANY_WORD: Terminal = { pattern: /[^ \t]+/y, name: "word" };
const PATH: Terminal = { pattern: /[^ \t=]+/y, name: "path" };
// “@” for digests is ours, and so are the other characters between braces.
const IMAGE: Terminal = {
  pattern: /(?:\$\{[^{} \t]*\}|[${}A-Za-z0-9:._/@-])+/y,
  name: "image reference",
};
const ALIAS: Terminal = { pattern: /[a-z0-9_.-]+/y, name: "stage alias in lower case" };
const DOCKER_ALIAS: Terminal = { pattern: /[a-z][a-z0-9_.-]*/iy, name: "stage alias" };
const FROM_OPTION: Terminal = {
  pattern: /--[a-z]+=(?:[a-z]+=)?[^= \t]+(?=[ \t]|$)/y,
  name: "option",
};
const COPY_OPTION: Terminal = {
  pattern: /--(?:(?:link|parents|keep-git-dir|unpack)(?=[ \t])|[a-z-]+=[^ \t]+(?=[ \t]|$))/y,
  name: "option",
};
/** Any other is the shell's, as upstream has it. */
const RUN_OPTION: Terminal = {
  pattern: /--(?:mount|network|security)=[^ \t]*(?=[ \t]|$)/y,
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

/**
 * The instruction on the cursor's line; ARG may be several. Throws a DockerfileError at the first
 * offending character.
 */
export function readInstructions(cursor: Cursor): Instruction[] {
  cursor.skipSpace();
  const head = {
    position: positionOf(cursor.source.text, cursor.line.offsetOf(cursor.at)),
    keyword: cursor.findKeyword(),
  };
  const keyword = head.keyword.toUpperCase();
  const settingRule = SETTING_RULES[keyword];
  const rule = RULES[keyword];
  if (rule === undefined && settingRule === undefined) cursor.fail("instruction");
  cursor.findText(head.keyword);
  cursor.readSpace("operand");
  if (settingRule !== undefined) {
    return [{ kind: "configure", ...head, setting: settingRule(cursor) }];
  }
  const read = rule!(cursor, head);
  return Array.isArray(read) ? read : [read as Instruction];
}

type Rule = (cursor: Cursor, head: Head) => Instruction | readonly Instruction[];

const RULES: Readonly<Record<string, Rule>> = {
  ADD: readCopy,
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

function readArg(cursor: Cursor, head: Head): Arg[] {
  return readArguments(cursor).map((argument) => ({ kind: "arg", ...head, ...argument }));
}

function readCopy(cursor: Cursor, head: Head): Copy {
  const kind = head.keyword.toUpperCase() === "ADD" ? "add" : "copy";
  const options = readOptions(cursor, COPY_OPTION);
  const isPlain = kind === "copy" && !cursor.isDocker;
  const paths = LIST.test(cursor.rest)
    ? cursor.readList()
    : readWords(cursor, isPlain ? PATH : ANY_WORD);
  const heredocs = cursor.heredocs.filter(({ word }) => paths.slice(0, -1).includes(word));
  return { kind, ...head, options, paths, heredocs };
}

function readEnv(cursor: Cursor, head: Head): Env {
  const start = cursor.at;
  const pairs = readPairs(cursor);
  // A quote can be no part of a variable's name; of a label's it can.
  if (pairs.some((pair) => pair.name.includes('"'))) cursor.fail("unquoted name", start);
  return { kind: "env", ...head, pairs };
}

function readFrom(cursor: Cursor, head: Head): From {
  const options = readOptions(cursor, FROM_OPTION);
  const image = cursor.read(IMAGE);
  let alias: string | undefined;
  if (cursor.skipSpace() && cursor.find(AS) !== undefined) {
    cursor.readSpace(ALIAS.name);
    alias = cursor.read(cursor.isDocker ? DOCKER_ALIAS : ALIAS).toLowerCase();
  }
  cursor.readEnd(alias === undefined ? "AS or end of line" : "end of line");
  return { kind: "from", ...head, options, image, alias };
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
  const options = readOptions(cursor, RUN_OPTION);
  const argv = cursor.findList();
  if (argv !== undefined) {
    return { kind: "run", ...head, options, heredocs: [], form: "list", argv };
  }
  const { heredocs } = cursor;
  return { kind: "run", ...head, options, heredocs, form: "shell", command: cursor.readRest() };
}

function readShell(cursor: Cursor, head: Head): Shell {
  return { kind: "shell", ...head, argv: cursor.readList() };
}

function readWorkdir(cursor: Cursor, head: Head): Workdir {
  return { kind: "workdir", ...head, path: cursor.readRest() };
}
