// The grammar of instructions that describe how an image is to be run:
//
//   CMD|ENTRYPOINT (LIST | REST)           ONBUILD INSTRUCTION
//   EXPOSE WORD…                           STOPSIGNAL|USER|MAINTAINER REST
//   VOLUME (LIST | WORD…)                  HEALTHCHECK (NONE | [--k=v…] CMD (LIST | REST))

import type { Cursor, Terminal } from "./cursor.ts";
import type { CommandForm, Setting } from "./instruction.ts";
import { readOptions, readSomeWords } from "./operands.ts";

const WORD: Terminal = { pattern: /[^ \t]+/y, name: "word" };
const OPTION: Terminal = { pattern: /--[a-z-]+=[^ \t]+(?=[ \t]|$)/y, name: "option" };
const EMPTY_LIST: Terminal = { pattern: /\[[ \t]*\][ \t]*$/y, name: "empty list" };
const NONE: Terminal = { pattern: /none[ \t]*$/iy, name: "NONE" };
const CMD: Terminal = { pattern: /cmd(?=[ \t])/iy, name: "CMD or NONE" };
/** What can be put off; an instruction that was itself put off, and a stage, cannot. */
const PUT_OFF: Terminal = {
  pattern:
    /(?=(?:add|arg|cmd|copy|entrypoint|env|expose|healthcheck|label|run|shell|stopsignal|user|volume|workdir)[ \t])/iy,
  name: "instruction that can be put off",
};

/** The rule for each keyword. */
export const SETTING_RULES: Readonly<Record<string, (cursor: Cursor) => Setting>> = {
  CMD: (cursor) => ({ name: "CMD", command: readCommand(cursor) }),
  ENTRYPOINT: (cursor) => ({ name: "ENTRYPOINT", command: readCommand(cursor) }),
  EXPOSE: (cursor) => ({ name: "EXPOSE", words: readSomeWords(cursor, WORD) }),
  HEALTHCHECK: readHealthcheck,
  MAINTAINER: (cursor) => ({ name: "MAINTAINER", text: cursor.readRest() }),
  ONBUILD: readOnBuild,
  STOPSIGNAL: (cursor) => ({ name: "STOPSIGNAL", text: cursor.readRest().trimEnd() }),
  USER: (cursor) => ({ name: "USER", text: cursor.readRest().trimEnd() }),
  VOLUME: readVolume,
};

function readCommand(cursor: Cursor): CommandForm {
  if (cursor.find(EMPTY_LIST) !== undefined) return { form: "list", argv: [] };
  const argv = cursor.findList();
  if (argv !== undefined) return { form: "list", argv };
  return { form: "shell", command: cursor.readRest() };
}

function readHealthcheck(cursor: Cursor): Setting {
  const options = readOptions(cursor, OPTION);
  if (options.length === 0 && cursor.find(NONE) !== undefined) {
    return { name: "HEALTHCHECK", options, command: undefined };
  }
  cursor.read(CMD);
  cursor.readSpace("command");
  return { name: "HEALTHCHECK", options, command: readCommand(cursor) };
}

function readOnBuild(cursor: Cursor): Setting {
  cursor.read(PUT_OFF);
  return { name: "ONBUILD", text: cursor.readRest() };
}

function readVolume(cursor: Cursor): Setting {
  const list = cursor.findList();
  return { name: "VOLUME", words: list ?? readSomeWords(cursor, WORD) };
}
