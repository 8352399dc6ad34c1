// RSYNC made ready: its options checked, sources found, destination put together (spec dockerfile §7).

import type { Rsync } from "../dockerfile/instruction.ts";
import { ChError } from "../error.ts";
import type { Prepared } from "./action.ts";
import { climbsOut, type SourceTree } from "./source_tree.ts";
import { joinPath, type StageState } from "./state.ts";

export interface RsyncPlaces {
  /** Undefined in a dry run. */
  readonly tree: SourceTree | undefined;
  /** Absolute path of the context. */
  readonly context: string;
  /** Absolute path that the image has while rsync runs. */
  readonly image: string;
  /** Whether standard error is a terminal, and so progress is wanted. */
  readonly isTerminal: boolean;
}

const BASE = ["-@=-1", "-A", "-H", "-S", "-X", "-p", "-r"];
const PLUS: Readonly<Record<string, readonly string[] | undefined>> = {
  m: BASE,
  l: [...BASE, "-l", "--safe-links"],
  u: [...BASE, "-l", "--copy-unsafe-links"],
};

/**
 * They would not copy, or would take from the context, or let a link of the image lead the copy out of it.
 */
const REFUSED = [
  "--daemon",
  "-n",
  "--dry-run",
  "--remove-source-files",
  "-K",
  "--keep-dirlinks",
];

export function prepareRsync(rsync: Rsync, places: RsyncPlaces, state: StageState): Prepared {
  const { line } = rsync.position;
  const plus = rsync.plus ?? "l";
  const added = plus === "z" ? [] : PLUS[plus];
  if (added === undefined) throw new ChError(`invalid plus option: ${plus}`);
  const { options, paths } = sortWords(rsync.words, line);
  if (paths.length < 2) {
    const what = paths.length === 0 ? "source and destination" : "source or destination";
    throw new ChError(`RSYNC: ${line}: ${what} missing`);
  }
  const shown = options.map((option) => state.substitute(option));
  shown.forEach(checkOption);
  const patterns = paths.slice(0, -1).map((path) => state.substitute(path));
  patterns.forEach(checkSource);
  const destination = state.substitute(paths.at(-1)!);
  const absolute = joinPath(state.cwd, destination);
  if (destination === "" || climbsOut(absolute)) {
    throw new ChError(`can’t RSYNC: destination not in image: ${destination}`);
  }
  const progress = plus !== "z" && places.isTerminal ? ["--info=progress2"] : [];
  const files = shown.map((option) => placeFile(option, places));
  return {
    text: {
      name: rsync.keyword.toUpperCase(),
      operands: [`+${plus}`, ...regroup(shown), ...patterns, destination].join(" "),
    },
    action: {
      op: "rsync",
      rsync: {
        options: [...regroup(added), ...progress, ...regroup(files)],
        sources: findSources(patterns, places),
        destination: absolute,
      },
    },
  };
}

interface Sorted {
  readonly options: readonly string[];
  readonly paths: readonly string[];
}

/** Options with short ones taken apart, as far as `--`; the rest are paths. */
function sortWords(words: readonly string[], line: number): Sorted {
  const end = words.indexOf("--");
  const before = end < 0 ? words : words.slice(0, end);
  const options: string[] = [];
  const paths: string[] = [];
  for (const word of before) {
    if (word === "-") throw new ChError(`RSYNC: ${line}: invalid argument: -`);
    if (!word.startsWith("-")) paths.push(word);
    else if (word.startsWith("--")) options.push(word);
    else options.push(...splitShort(word));
  }
  return { options, paths: [...paths, ...end < 0 ? [] : words.slice(end + 1)] };
}

/** `-avB=4` is `-a`, `-v`, `-B=4`. */
function splitShort(word: string): string[] {
  const equals = word.indexOf("=");
  const letters = [...word.slice(1, equals < 0 ? undefined : equals)].map((letter) => `-${letter}`);
  if (equals >= 0) letters.push(`${letters.pop() ?? "-"}${word.slice(equals)}`);
  return letters;
}

/** Short options without arguments become one word, where they follow one another. */
function regroup(options: readonly string[]): string[] {
  const words: string[] = [];
  for (const option of options) {
    const last = words.at(-1);
    const isShort = /^-[^-]$/.test(option);
    if (isShort && last !== undefined && /^-[^-=]+$/.test(last)) {
      words.push(words.pop()! + option[1]);
    } else words.push(option);
  }
  return words;
}

function checkOption(option: string): void {
  const name = option.split("=")[0]!;
  if (REFUSED.includes(name)) throw new ChError(`disallowed option: ${name}`);
  if (!/^--[a-z-]+-from(?:=|$)/.test(option)) return;
  const value = option.slice(name.length + 1);
  if (value === "-") throw new ChError("--*-from: can’t use standard input");
  if (value.includes(":")) {
    throw new ChError("--*-from: can’t use remote hosts (colon in path)");
  }
}

function checkSource(pattern: string): void {
  if (!pattern.includes(":")) return;
  throw new ChError(`SSH and rsync transports not supported: ${pattern}`);
}

/** `--*-from=FILE`: a relative path begins at the sources' root, an absolute one at the image's. */
function placeFile(option: string, { context, image }: RsyncPlaces): string {
  const found = /^(--[a-z-]+-from=)(.*)$/s.exec(option);
  if (found === null) return option;
  const [, name, path] = found;
  return path!.startsWith("/") ? `${name}${image}${path}` : `${name}${context}/${path}`;
}

/** Absolute paths on the host. A slash at the end matters to rsync. */
function findSources(patterns: readonly string[], { tree, context }: RsyncPlaces): string[] {
  if (tree === undefined) return [];
  return patterns.flatMap((pattern) => {
    const slash = pattern.endsWith("/") ? "/" : "";
    return tree.expand([pattern]).map(({ given }) =>
      given === "" ? `${context}/` : `${context}/${given}${slash}`
    );
  });
}
