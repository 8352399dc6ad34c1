// The builders whose storage ch-convert reads and writes: ch-image, which is this very program, and the
// host's docker and podman.

import { BuilderProgram, findDockerCommand, isPodmanAlias } from "../lib/convert/builder.ts";
import type { RunProgram } from "../lib/convert/builder.ts";
import type { Builder } from "../lib/convert/format.ts";
import { ChError } from "../lib/error.ts";
import { type HostPrograms, runHostProgram } from "./host_program.ts";
import { findProgram } from "./program_search.ts";

export interface Builders {
  readonly present: ReadonlySet<Builder>;
  readonly find: (name: "docker" | "podman") => Promise<BuilderProgram>;
}

/** Looks for what there is. What may be Podman under Docker's name is asked whether it is. */
export async function findBuilders(host: HostPrograms): Promise<Builders> {
  const search = host.environment.get("PATH") ?? "";
  const run: RunProgram = (command, options = {}) => runHostProgram(command, options, host);
  const paths = {
    docker: await findDocker(search, run),
    podman: findProgram("podman", search),
  };
  const names = (["docker", "podman"] as const).filter((name) => paths[name] !== undefined);
  const found = new Map<string, BuilderProgram>();
  const find = async (name: "docker" | "podman") => {
    const known = found.get(name);
    if (known !== undefined) return known;
    const path = paths[name];
    if (path === undefined) throw new ChError(`format ${name} invalid: ${name} not found`);
    const command = name === "docker"
      ? await findDockerCommand(path, findProgram("sudo", search), run)
      : [path];
    const program = new BuilderProgram(name, command, run);
    found.set(name, program);
    return program;
  };
  return { present: new Set<Builder>(["ch-image", ...names]), find };
}

async function findDocker(search: string, run: RunProgram): Promise<string | undefined> {
  const path = findProgram("docker", search);
  if (path === undefined) return undefined;
  return mayBePodman(path) && await isPodmanAlias(path, run) ? undefined : path;
}

/** Docker's own program is an executable of that name; to ask every time would take its time. */
function mayBePodman(path: string): boolean {
  const head = new Uint8Array(4);
  using file = Deno.openSync(path);
  file.readSync(head);
  const isExecutable = head[0] === 0x7f && String.fromCharCode(...head.subarray(1)) === "ELF";
  return !isExecutable || !Deno.realPathSync(path).endsWith("/docker");
}
