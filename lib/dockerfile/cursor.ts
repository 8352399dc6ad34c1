// A reader of one logical line, in the terms of the grammar: white space, words, quoted strings,
// lists, the rest. What is not there makes it throw at the exact place.

import type { Dialect } from "./dialect.ts";
import { decodeEscapes } from "./escapes.ts";
import type { Heredoc } from "./heredoc.ts";
import type { LogicalLine } from "./logical_line.ts";
import { DockerfileError, type DockerfileSource } from "./source.ts";

/** How a terminal of the grammar looks, and how it is called where it is missing. */
export interface Terminal {
  readonly pattern: RegExp;
  readonly name: string;
}

const QUOTED = /"((?:[^"\\]|\\[^])*)"/y;

export class Cursor {
  #at = 0;

  constructor(
    readonly source: DockerfileSource,
    readonly line: LogicalLine,
    readonly dialect: Dialect,
    readonly heredocs: readonly Heredoc[],
  ) {}

  get isDocker(): boolean {
    return this.dialect.rules === "docker";
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.line.text.length;
  }

  /** Everything up to the end of the line. */
  get rest(): string {
    return this.line.text.slice(this.#at);
  }

  fail(expected: string, at = this.#at): never {
    throw new DockerfileError(this.source, this.line.offsetOf(at), expected);
  }

  /** Skips blanks; a continuation separates as well. Were there any? */
  skipSpace(): boolean {
    const joined = this.line.isJoined(this.#at);
    return this.#match(/[ \t]+/y) !== undefined || joined;
  }

  /** White space with something behind it. */
  readSpace(expected: string): void {
    if (!this.skipSpace() || this.isAtEnd) this.fail(expected);
  }

  /** The keyword: letters up to the first joint, so that `FROM\⏎x` is FROM. */
  findKeyword(): string {
    const letters = /[A-Za-z]*/y;
    letters.lastIndex = this.#at;
    const found = letters.exec(this.line.text)![0];
    const joint = this.line.findJoint(this.#at, this.#at + found.length);
    return joint === undefined ? found : this.line.text.slice(this.#at, joint);
  }

  /** The text itself, if it comes next. */
  findText(text: string): boolean {
    if (!this.line.text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  find(terminal: Terminal): string | undefined {
    return this.#match(terminal.pattern)?.[0];
  }

  read(terminal: Terminal): string {
    return this.find(terminal) ?? this.fail(terminal.name);
  }

  /** A quoted string as it stands; a joint inside makes it none. */
  findQuoted(): string | undefined {
    const start = this.#at;
    const found = this.#match(QUOTED);
    if (found === undefined) return undefined;
    if (this.line.findJoint(start, this.#at) === undefined) return found[0];
    this.#at = start;
    return undefined;
  }

  /** A list in brackets up to the end of the line; undefined, and nothing read, if it is none. */
  findList(): string[] | undefined {
    const start = this.#at;
    const items = this.#findItems();
    if (items === undefined) this.#at = start;
    return items;
  }

  readList(): string[] {
    return this.#findItems() ?? this.fail("list of quoted strings");
  }

  /** Without the blanks at its end in Docker's rules. */
  readRest(): string {
    const rest = this.isDocker ? this.rest.replace(/[ \t]+$/, "") : this.rest;
    this.#at = this.line.text.length;
    return rest;
  }

  /** Nothing but blanks may be left. */
  readEnd(expected = "end of line"): void {
    this.#match(/[ \t]+/y);
    if (!this.isAtEnd) this.fail(expected);
  }

  /** The items; undefined if it is no list, and then the cursor stands where it stops being one. */
  #findItems(): string[] | undefined {
    if (!this.findText("[")) return undefined;
    const items: string[] = [];
    for (;;) {
      this.skipSpace();
      const quoted = this.findQuoted();
      if (quoted === undefined) return undefined;
      items.push(decodeEscapes(quoted.slice(1, -1)));
      // JSON has blanks here; for upstream that is no list.
      if (this.isDocker) this.skipSpace();
      if (this.findText(",")) continue;
      this.skipSpace();
      if (!this.findText("]")) return undefined;
      this.skipSpace();
      return this.isAtEnd ? items : undefined;
    }
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.line.text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }
}
