// The programs that ch-test tries: those beside its own executable, or this executable under their names where there
// are none.

import { ChError } from "../lib/error.ts";
import type { Log } from "../lib/log/log.ts";
import { VERSION } from "../lib/version.ts";
import { findProgram } from "./program_search.ts";

const NAMES = ["ch", "ch-run", "ch-image", "ch-convert", "ch-fromhost", "ch-checkns"];

type Environment = ReadonlyMap<string, string>;

/** Paths by name. */
export type Tools = ReadonlyMap<string, string>;

export function findTools(): Tools {
  const own = Deno.execPath();
  const directory = own.slice(0, own.lastIndexOf("/"));
  return new Map(NAMES.map((name) => [name, findProgram(name, directory) ?? own]));
}

/** Warns of programs that are not of this build (spec other-tools §6). */
export function compareVersions(tools: Tools, environment: Environment, log: Log): void {
  for (const [name, path] of tools) {
    if (path === Deno.execPath()) continue;
    const { output } = runTool(path, ["--version"], environment);
    if (output !== VERSION) {
      log.warning(`inconsistent ${name} version: ${output}, not ${VERSION}: ${path}`);
    }
  }
}

/** Throws a ChError where there can be no containers, so that nothing else need be tried. */
export function checkNamespaces(tools: Tools, environment: Environment): void {
  const name = "ch-checkns", path = tools.get(name)!;
  const { isSuccess, output } = runTool(path, path === Deno.execPath() ? [name] : [], environment);
  if (isSuccess) return;
  throw new ChError(`${name}: ${output}`, { hint: '"ch doctor" tells more' });
}

/** Makes a directory of links to TOOLS, for PATH. */
export function linkTools(tools: Tools, directory: string): void {
  Deno.mkdirSync(directory);
  for (const [name, path] of tools) Deno.symlinkSync(path, `${directory}/${name}`);
}

function runTool(path: string, args: readonly string[], environment: Environment) {
  const { success, stdout, stderr } = new Deno.Command(path, {
    args: [...args],
    clearEnv: true,
    env: Object.fromEntries(environment),
    stdin: "null",
  }).outputSync();
  const decoder = new TextDecoder();
  return {
    isSuccess: success,
    output: (decoder.decode(stdout) + decoder.decode(stderr)).trim(),
  };
}
