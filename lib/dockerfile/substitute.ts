// Variables in operands: `$NAME`, `${NAME}`, and POSIX's forms with a word behind the name. In Docker's
// rules quotes and escapes are taken away at the same time, as a shell would.

import { ChError } from "../error.ts";
import { CHARLIECLOUD, type Dialect } from "./dialect.ts";
import { removePrefix, removeSuffix, replacePattern } from "./pattern.ts";

/** Finds a variable's value. */
export type Lookup = (name: string) => string | undefined;

/**
 * TEXT with variables replaced, all at once: a value is inserted as it is, even if it has a `$` or a
 * backslash. By upstream's rules unknown names stay as written, and so do an escaped `$` and its
 * backslash (spec dockerfile §4.1); by Docker's they are empty. Throws a ChError for `${v:?text}`, and in
 * Docker's rules where the form is wrong.
 */
export function substituteVariables(
  text: string,
  lookup: Lookup,
  dialect: Dialect = CHARLIECLOUD,
): string {
  return new Expander(text, lookup, dialect).expand();
}

/** Content of a here-document: as Docker's rules have it, but quotes are text, and so are all escapes but
 * that of the dollar. */
export function substituteInText(text: string, lookup: Lookup, dialect: Dialect): string {
  return new Expander(text, lookup, { ...dialect, rules: "docker" }, "keep").expand();
}

const NAME = /\w+/y;
const OPERATOR = /:[-+?]|[-+?]|##?|%%?|\/\/?/y;

class Expander {
  #at = 0;
  readonly #isDocker: boolean;

  constructor(
    readonly text: string,
    readonly lookup: Lookup,
    readonly dialect: Dialect,
    readonly quotes: "remove" | "keep" = "remove",
  ) {
    this.#isDocker = dialect.rules === "docker";
  }

  expand(): string {
    let result = "";
    while (this.#at < this.text.length) result += this.#next();
    return result;
  }

  #next(): string {
    const char = this.text[this.#at]!;
    const removesQuotes = this.#isDocker && this.quotes === "remove";
    if (char === this.dialect.escape) return this.#readEscaped();
    if (char === "$") return this.#readVariable();
    if (removesQuotes && char === "'") return this.#readSingleQuoted();
    if (removesQuotes && char === '"') return this.#readDoubleQuoted();
    this.#at++;
    return char;
  }

  #readEscaped(): string {
    const pair = this.text.slice(this.#at, this.#at + 2);
    if (this.#isDocker) {
      this.#at += 2;
      const isText = pair.length === 1 || (this.quotes === "keep" && pair[1] !== "$");
      return isText ? pair : pair[1]!;
    }
    // Only a dollar matters here, and a backslash before a backslash does not take its power.
    this.#at += pair[1] === "$" ? 2 : 1;
    return pair[1] === "$" ? pair : pair[0]!;
  }

  #readSingleQuoted(): string {
    const end = this.text.indexOf("'", this.#at + 1);
    if (end < 0) throw this.#unfinished("'");
    const body = this.text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return body;
  }

  #readDoubleQuoted(): string {
    this.#at++;
    let result = "";
    for (;;) {
      const char = this.text[this.#at];
      if (char === undefined) throw this.#unfinished('"');
      if (char === '"') {
        this.#at++;
        return result;
      }
      const next = this.text[this.#at + 1];
      if (char === "$") {
        result += this.#readVariable();
      } else if (char === this.dialect.escape && next !== undefined) {
        result += next === '"' || next === "$" || next === char ? next : char + next;
        this.#at += 2;
      } else {
        result += char;
        this.#at++;
      }
    }
  }

  #readVariable(): string {
    const start = this.#at++;
    if (this.text[this.#at] === "{") return this.#readBraced(start);
    const name = this.#match(NAME);
    if (name === undefined) return "$";
    return this.lookup(name) ?? this.#unknown(start);
  }

  #readBraced(start: number): string {
    this.#at++;
    const name = this.#match(NAME);
    const operator = name === undefined ? undefined : this.#match(OPERATOR);
    const end = name === undefined ? -1 : this.#findBrace();
    const isPlain = operator === undefined && end === this.#at;
    if (end < 0 || (operator === undefined && !isPlain)) {
      if (this.#isDocker) throw new ChError(`bad substitution: ${this.text.slice(start)}`);
      this.#at = start + 1;
      return "$";
    }
    const word = this.text.slice(this.#at, end);
    this.#at = end + 1;
    if (isPlain) return this.lookup(name!) ?? this.#unknown(start);
    return this.#apply(name!, operator!, word, start);
  }

  #apply(name: string, operator: string, word: string, start: number): string {
    const value = this.lookup(name);
    const expand = () => substituteVariables(word, this.lookup, this.dialect);
    const isThere = value !== undefined && (value !== "" || !operator.startsWith(":"));
    switch (operator) {
      case ":-":
      case "-":
        return isThere ? value : expand();
      case ":+":
      case "+":
        return isThere ? expand() : "";
      case ":?":
      case "?":
        if (isThere) return value;
        throw new ChError(`${name}: ${expand() || "not set"}`);
    }
    if (value === undefined) return this.#unknown(start);
    switch (operator) {
      case "#":
      case "##":
        return removePrefix(value, expand(), operator === "##");
      case "%":
      case "%%":
        return removeSuffix(value, expand(), operator === "%%");
      default:
        return replacePattern(
          value,
          word,
          operator === "//",
          (part) => substituteVariables(part, this.lookup, this.dialect),
        );
    }
  }

  /** What was read since START, of a variable that is not set. */
  #unknown(start: number): string {
    return this.#isDocker ? "" : this.text.slice(start, this.#at);
  }

  /** The brace that closes what is open here; -1 without. */
  #findBrace(): number {
    let depth = 1;
    for (let at = this.#at; at < this.text.length; at++) {
      const char = this.text[at];
      if (char === this.dialect.escape) at++;
      else if (char === "$" && this.text[at + 1] === "{") depth++;
      else if (char === "}" && --depth === 0) return at;
    }
    return -1;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #unfinished(quote: string): ChError {
    return new ChError(`closing ${quote} missing: ${this.text}`);
  }
}
