// `--build-arg`: values for the ARG instructions of a file.

import type { Dockerfile } from "../dockerfile/instruction.ts";
import { ChError } from "../error.ts";

/** Parses the options, `NAME=VALUE` or `NAME` with the value of the caller's variable; last wins. */
export function parseBuildArguments(
  options: readonly string[],
  findVariable: (name: string) => string | undefined,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const option of options) {
    const equals = option.indexOf("=");
    const name = equals < 0 ? option : option.slice(0, equals);
    const value = equals < 0 ? findVariable(name) : option.slice(equals + 1);
    if (value === undefined) {
      throw new ChError(`--build-arg: ${name}: no value and not in environment`);
    }
    found.set(name, value);
  }
  return found;
}

/** Throws if there is an argument that no ARG of the file takes. */
export function checkConsumed(given: ReadonlyMap<string, string>, dockerfile: Dockerfile): void {
  const declared = new Set(
    dockerfile.instructions.flatMap((i) => i.kind === "arg" ? [i.name] : []),
  );
  const left = [...given.keys()].filter((name) => !declared.has(name));
  if (left.length > 0) throw new ChError(`--build-arg: not consumed: ${left.join(" ")}`);
}
