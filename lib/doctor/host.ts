// What diagnosing asks of the machine beyond what planning a container does.

import type { Host } from "../container/host.ts";
import { findVariable } from "../container/variables.ts";

export interface DoctorHost extends Host {
  /** Names in a directory, sorted; none if it can't be read. */
  list(path: string): readonly string[];
  /** Path of a program, by the caller's PATH. */
  findProgram(name: string): string | undefined;
  /** What PROGRAM prints, on either stream; undefined if it can't be run or takes too long. */
  run(program: string, args: readonly string[]): Promise<string | undefined>;
}

/** Text of a file, without white space around it; undefined if it can't be read. */
export function findText(path: string, host: Pick<Host, "readFile">): string | undefined {
  try {
    return new TextDecoder().decode(host.readFile(path)).trim();
  } catch {
    return undefined; // it serves explanations alone
  }
}

export function isThere(path: string, host: Pick<Host, "lstat">): boolean {
  try {
    return host.lstat(path) !== undefined;
  } catch {
    return false; // closed to us, so of no use
  }
}

const LIBRARY_DIRECTORIES = [
  ...["/usr/local/lib64", "/usr/local/lib", "/lib64", "/usr/lib64", "/lib", "/usr/lib"],
  ...["x86_64", "aarch64"].flatMap((cpu) => [`/lib/${cpu}-linux-gnu`, `/usr/lib/${cpu}-linux-gnu`]),
];

/** The first library whose name begins with NAME where the host's programs find theirs. */
export function findLibrary(name: string, host: DoctorHost): string | undefined {
  const own = (findVariable(host.environment, "LD_LIBRARY_PATH") ?? "").split(":").filter(Boolean);
  for (const directory of [...own, ...LIBRARY_DIRECTORIES]) {
    const found = host.list(directory).find((each) => each.startsWith(name));
    if (found !== undefined) return `${directory}/${found}`;
  }
  return undefined;
}
