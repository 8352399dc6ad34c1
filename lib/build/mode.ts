// `--chmod`: octal, or symbolic as chmod(1) has it.

import { ChError } from "../error.ts";

/** The mode that something gets which has MODE. */
export type ModeChange = (mode: number, isDirectory: boolean) => number;

/** TEXT of `--chmod`. Throws a ChError if it is none. */
export function parseModeChange(text: string): ModeChange {
  if (/^[0-7]{1,4}$/.test(text)) {
    const mode = parseInt(text, 8);
    return () => mode;
  }
  const clauses = text.split(",").map((clause) =>
    /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause) ?? fail(text)
  );
  return (mode, isDirectory) =>
    clauses.reduce(
      (changed, [, who, operations]) =>
        [...operations!.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)].reduce(
          (now, [, operator, what]) =>
            apply(now, { who: who!, operator: operator!, what: what! }, isDirectory),
          changed,
        ),
      mode,
    );
}

interface Operation {
  readonly who: string;
  readonly operator: string;
  readonly what: string;
}

const SHIFTS: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };
const BITS: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1 };

function apply(mode: number, { who, operator, what }: Operation, isDirectory: boolean): number {
  const classes = who === "" || who.includes("a") ? ["u", "g", "o"] : [...who];
  let bits = 0;
  let mask = 0;
  for (const name of classes) {
    const shift = SHIFTS[name]!;
    mask |= 7 << shift;
    bits |= rightsOf(what, mode, isDirectory) << shift;
    if (what.includes("s") && name === "u") bits |= 0o4000;
    if (what.includes("s") && name === "g") bits |= 0o2000;
  }
  if (what.includes("t")) bits |= 0o1000;
  switch (operator) {
    case "+":
      return mode | bits;
    case "-":
      return mode & ~bits;
    default:
      return mode & ~mask & ~(classes.includes("u") ? 0o4000 : 0) &
          ~(classes.includes("g") ? 0o2000 : 0) | bits;
  }
}

function rightsOf(what: string, mode: number, isDirectory: boolean): number {
  const copied = SHIFTS[what];
  if (copied !== undefined) return mode >> copied & 7;
  let rights = [...what].reduce((sum, char) => sum | (BITS[char] ?? 0), 0);
  if (what.includes("X") && (isDirectory || (mode & 0o111) !== 0)) rights |= 1;
  return rights;
}

function fail(text: string): never {
  throw new ChError(`--chmod: not a mode: ${text}`, { hint: "e.g. 755 or u=rwX,go=rX" });
}
