// As much of YAML as generators of CDI specifications write: maps and lists by indentation, scalars plain or
// quoted, short ones in brackets. Every scalar is a text. What is more than that is refused, not guessed.

import { TextError } from "../error.ts";

export type YamlValue = string | readonly YamlValue[] | { readonly [key: string]: YamlValue };

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

/** FILE is for messages. Throws a TextError. */
export function parseYaml(text: string, file: string): YamlValue {
  const lines = text.split("\n").flatMap((raw, index): Line[] => {
    const line = raw.replace(/\r$/, "");
    const body = line.trimStart();
    if (body === "" || body.startsWith("#") || /^(?:---|\.\.\.)\s*$/.test(line)) return [];
    return [{ number: index + 1, indent: line.length - body.length, text: body.trimEnd() }];
  });
  return lines.length === 0 ? {} : new Parser(lines, file).whole();
}

/** Depth that no specification needs; the stack is not endless. */
const MAX_DEPTH = 50;

class Parser {
  #at = 0;

  constructor(readonly lines: readonly Line[], readonly file: string) {}

  whole(): YamlValue {
    const value = this.#block(this.lines[0]!.indent, 0);
    const rest = this.lines[this.#at];
    if (rest !== undefined) throw this.#wrong(rest, "indentation does not fit");
    return value;
  }

  #block(indent: number, depth: number): YamlValue {
    const line = this.lines[this.#at]!;
    if (depth > MAX_DEPTH) throw this.#wrong(line, "too deep");
    if (line.text.startsWith("\t")) throw this.#wrong(line, "tab in indentation");
    if (isItem(line.text)) return this.#list(indent, depth);
    if (findColon(line.text) !== undefined) return this.#map(indent, depth);
    this.#at++;
    return this.#scalar(line, line.text);
  }

  #list(indent: number, depth: number): YamlValue {
    const items: YamlValue[] = [];
    for (let line = this.lines[this.#at]; line?.indent === indent; line = this.lines[this.#at]) {
      if (!isItem(line.text)) break;
      const body = line.text.slice(1).trimStart();
      if (body === "") {
        this.#at++;
        items.push(this.#nested(indent + 1, depth));
        continue;
      }
      // The item's own block begins behind the dash.
      const inner = { ...line, indent: indent + line.text.length - body.length, text: body };
      (this.lines as Line[])[this.#at] = inner;
      items.push(this.#block(inner.indent, depth + 1));
    }
    return items;
  }

  #map(indent: number, depth: number): YamlValue {
    const map: Record<string, YamlValue> = {};
    for (let line = this.lines[this.#at]; line?.indent === indent; line = this.lines[this.#at]) {
      const colon = isItem(line.text) ? undefined : findColon(line.text);
      if (colon === undefined) break;
      const key = this.#scalar(line, line.text.slice(0, colon));
      if (typeof key !== "string") throw this.#wrong(line, "a key must be a text");
      if (Object.hasOwn(map, key)) throw this.#wrong(line, `twice: ${key}`);
      const rest = line.text.slice(colon + 1).trim();
      this.#at++;
      const value = rest === "" || rest.startsWith("#")
        ? this.#nested(indent, depth)
        : this.#scalar(line, rest);
      Object.defineProperty(map, key, { value, enumerable: true });
    }
    return map;
  }

  /** What stands below a key or a lone dash; a list may be as far left as its key. */
  #nested(indent: number, depth: number): YamlValue {
    const next = this.lines[this.#at];
    const isBelow = next !== undefined &&
      (next.indent > indent || (next.indent === indent && isItem(next.text)));
    return isBelow ? this.#block(next.indent, depth + 1) : "";
  }

  #scalar(line: Line, text: string): YamlValue {
    if (/^[&*!|>@`%]/.test(text)) throw this.#wrong(line, `not understood: ${text[0]}`);
    if (text.startsWith("[") || text.startsWith("{")) return this.#flow(line, text);
    if (text.startsWith("'")) {
      const [, inner] = /^'((?:[^']|'')*)'\s*(?:#.*)?$/.exec(text) ?? [];
      if (inner === undefined) throw this.#wrong(line, "quote without an end");
      return inner.replaceAll("''", "'");
    }
    if (text.startsWith('"')) {
      const [, quoted] = /^("(?:[^"\\]|\\.)*")\s*(?:#.*)?$/.exec(text) ?? [];
      return quoted === undefined
        ? fail(this.#wrong(line, "quote without an end"))
        : this.#json(line, quoted);
    }
    const plain = text.replace(/\s+#.*$/, "").trimEnd();
    return plain === "~" || plain === "null" ? "" : plain;
  }

  /** `[a, "b"]`, and what is empty. */
  #flow(line: Line, text: string): YamlValue {
    if (/^\{\s*\}$/.test(text)) return {};
    const [, inner] = /^\[(.*)\]$/.exec(text) ?? [];
    if (inner === undefined || /[[\]{}]/.test(inner)) {
      throw this.#wrong(line, `not understood: ${text}`);
    }
    return inner.trim() === ""
      ? []
      : inner.split(",").map((item) => this.#scalar(line, item.trim()));
  }

  #json(line: Line, text: string): string {
    try {
      return JSON.parse(text);
    } catch {
      throw this.#wrong(line, `not understood: ${text}`);
    }
  }

  #wrong({ number, indent }: Line, reason: string): TextError {
    const message = `${this.file}: line ${number}: ${reason}`;
    return new TextError(this.file, number, indent + 1, message);
  }
}

function fail(error: TextError): never {
  throw error;
}

function isItem(text: string): boolean {
  return text === "-" || text.startsWith("- ");
}

/** Where the key of `KEY: VALUE` ends; undefined if there is none. */
function findColon(text: string): number | undefined {
  const [key] =
    /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'[{#](?:[^:#]|:(?=\S)|(?<=\S)#)*?)(?=:(?:\s|$))/
      .exec(text) ?? [];
  return key?.length;
}
