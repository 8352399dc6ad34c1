// A diagnosis of host and image, for people and for programs: what `ch doctor` and `ch-checkns -v` print.

import { decodeOsString } from "../ffi/os_string.ts";
import type { Ability } from "../lib/container/abilities.ts";
import { findImage } from "../lib/container/image.ts";
import { STATUS_FAIL } from "../lib/container/plan.ts";
import { openSystemHost } from "../lib/container/system_host.ts";
import { findVariable } from "../lib/container/variables.ts";
import { diagnose, findStorage } from "../lib/doctor/diagnose.ts";
import type { DoctorHost } from "../lib/doctor/host.ts";
import type { ImageFiles } from "../lib/doctor/image.ts";
import { VERSION } from "../lib/version.ts";
import { findProgram } from "./program_search.ts";
import { writeText } from "./standard_stream.ts";

/** Prints the diagnosis. Returns the exit status: 0 if containers can run at all. */
export async function report(
  program: string,
  form: "text" | "json",
  imageName?: string,
): Promise<number> {
  const host = openDoctorHost();
  const image = imageName === undefined ? undefined : await openImage(imageName, host);
  const findings = await diagnose(program, host, image);
  const text = form === "json"
    ? formatJson(findings, host.kernelRelease)
    : formatAbilities(findings);
  writeText(Deno.stdout, text);
  return isAble(findings) ? 0 : STATUS_FAIL;
}

/** A program that does not answer in this time is of no help. */
const PATIENCE = 10_000;

function openDoctorHost(): DoctorHost {
  const host = openSystemHost();
  const search = findVariable(host.environment, "PATH") ?? "";
  return Object.assign(host, {
    list(path: string) {
      try {
        return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
      } catch {
        return []; // whatever the reason, there is nothing to see
      }
    },
    findProgram: (name: string) => findProgram(name, search),
    run: (path: string, args: readonly string[]) => ask(path, args, host.environment),
  });
}

async function ask(
  program: string,
  args: readonly string[],
  environment: readonly string[],
): Promise<string | undefined> {
  const entries = environment.map((entry) => entry.split(/=(.*)/s).slice(0, 2) as [string, string]);
  try {
    const { stdout, stderr } = await new Deno.Command(program, {
      args: [...args],
      clearEnv: true,
      env: Object.fromEntries(entries.filter(([, value]) => value !== undefined)),
      stdin: "null",
      signal: AbortSignal.timeout(PATIENCE),
    }).output();
    return decodeOsString(stdout) + decodeOsString(stderr);
  } catch {
    return undefined; // it can't be run, and so tells nothing
  }
}

async function openImage(image: string, host: DoctorHost): Promise<ImageFiles> {
  const storage = host.realPath(findStorage(host)) ?? findStorage(host);
  const found = findImage({ image, storage, write: false, unsafe: false }, host, () => {});
  if (found.type !== "squash") return { files: host.imageFiles, root: found.root };
  const { openSquashFiles } = await import("../lib/container/squash_files.ts");
  return { files: openSquashFiles(found.file), root: "/" };
}

/** Without namespaces nothing works; all else is for some. */
function isAble(abilities: readonly Ability[]): boolean {
  return abilities[0]?.state === "ok";
}

/** A line each, and more where there is more to say. */
export function formatAbilities(abilities: readonly Ability[]): string {
  return abilities.map((ability) => {
    const line = `${ability.state.padEnd(8)} ${ability.name.padEnd(14)} ${ability.purpose}\n`;
    switch (ability.state) {
      case "ok":
      case "none":
        return line + (ability.detail === undefined ? "" : `${INDENT}${ability.detail}\n`);
      case "untried":
        return line;
      case "missing": {
        const { reason, errno, remedy } = ability;
        const why = `${INDENT}${reason}${errno === 0 ? "" : ` (errno ${errno})`}\n`;
        return line + why + (remedy === undefined ? "" : `${INDENT}hint: ${remedy}\n`);
      }
      default:
        return ability satisfies never;
    }
  }).join("");
}

const INDENT = " ".repeat(9);

/** The same as JSON; keys that do not apply are left out. */
export function formatJson(abilities: readonly Ability[], kernel: string): string {
  const listed = abilities.map((ability) => {
    const { name, purpose, state } = ability;
    if (ability.state === "untried") return { name, purpose, state };
    if (ability.state !== "missing") {
      return {
        name,
        purpose,
        state,
        ...ability.detail !== undefined && { detail: ability.detail },
      };
    }
    const { reason, errno, remedy } = ability;
    return { name, purpose, state, reason, errno, remedy };
  });
  const all = { version: VERSION, kernel, ok: isAble(abilities), abilities: listed };
  return JSON.stringify(all, undefined, 2) + "\n";
}
