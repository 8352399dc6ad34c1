// Patterns of `.dockerignore` and `--exclude`: as Go's filepath.Match has them, with `**` for any number of
// directories and `!` for what is let in again; the last that matches decides. What is below an excluded
// directory is excluded as well.

import { ChError } from "../error.ts";

interface Rule {
  readonly pattern: RegExp;
  readonly isException: boolean;
}

export class PathFilter {
  readonly #rules: readonly Rule[];
  /** Whether something below an excluded directory may be let in. */
  readonly hasExceptions: boolean;

  private constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.hasExceptions = rules.some(({ isException }) => isException);
  }

  /** Text of a `.dockerignore`, called FILE in messages. Throws a ChError for a wrong pattern. */
  static parse(text: string, file: string): PathFilter {
    const lines = text.replace(/^\ufeff/, "").split(/\r?\n/)
      .filter((line) => !line.startsWith("#"))
      .map((line) => line.trim())
      .filter((line) => line !== "");
    return PathFilter.of(lines, file);
  }

  /** WHAT has the patterns, for messages. */
  static of(patterns: readonly string[], what: string): PathFilter {
    return new PathFilter(patterns.flatMap((text) => {
      const isException = text.startsWith("!");
      const path = clean(isException ? text.slice(1).trim() : text);
      if (path === "") return [];
      return [{ pattern: compile(path, `${what}: ${text}`), isException }];
    }));
  }

  /** Is PATH, relative to the root that the patterns are for, left out? */
  excludes(path: string): boolean {
    const prefixes = path.split("/").map((_, index, parts) => parts.slice(0, index + 1).join("/"));
    return this.#rules.reduce<boolean>(
      (excluded, { pattern, isException }) =>
        prefixes.some((prefix) => pattern.test(prefix)) ? !isException : excluded,
      false,
    );
  }
}

/** Without empty components, `.`, `..` as text, and slashes at the ends. */
function clean(path: string): string {
  const components: string[] = [];
  for (const component of path.split("/")) {
    if (component === "..") components.pop();
    else if (component !== "" && component !== ".") components.push(component);
  }
  return components.join("/");
}

function compile(pattern: string, shown: string): RegExp {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if (char === "*" && pattern[at + 1] === "*") {
      while (pattern[at + 1] === "*") at++;
      // With a slash behind it, it may be no directory at all.
      if (pattern[at + 1] === "/") {
        at++;
        source += "(?:.*/)?";
      } else {
        source += ".*";
      }
    } else if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "[") {
      const found = /^\[(\^?)((?:\\.|[^\\\]])+)\]/.exec(pattern.slice(at));
      if (found === null) throw new ChError(`wrong pattern in ${shown}`);
      source += `[${found[1]}${found[2]!.replaceAll("[", "\\[")}]`;
      at += found[0].length - 1;
    } else {
      const literal = char === "\\" ? pattern[++at] ?? "\\" : char;
      source += literal.replace(/[\\^$.*+?()[\]{}|\/]/, "\\$&");
    }
  }
  try {
    return new RegExp(`^${source}$`, "s");
  } catch (error) {
    throw new ChError(`wrong pattern in ${shown}`, { cause: error });
  }
}
