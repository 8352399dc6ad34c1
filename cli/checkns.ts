// ch-checkns: can containers run on this machine? (spec ch-run §10) And, on request, which of them, and
// what to do about the others.

import { SystemError } from "../ffi/system_error.ts";
import { type Ability, listAbilities, tryNamespaces } from "../lib/container/abilities.ts";
import type { Host } from "../lib/container/host.ts";
import { STATUS_FAIL } from "../lib/container/plan.ts";
import { openSystemHost } from "../lib/container/system_host.ts";
import type { TrialFailure } from "../lib/container/trial_failure.ts";
import { findVariable } from "../lib/container/variables.ts";
import { ChError } from "../lib/error.ts";
import { VERSION } from "../lib/version.ts";
import { RunLog } from "./run_log.ts";
import { writeText } from "./standard_stream.ts";

const PROGRAM = "ch-checkns";

const HELP = `Usage: ${PROGRAM} [OPTION]

Check whether user and mount namespaces work here as ch-run needs them: prints
"ok" and exits with 0 if they do; else says what failed and exits with ${STATUS_FAIL}.

  -v, --verbose  print what of containers works here, and for what does not,
                 why, and what to do about it; the exit status is the same
      --json     the same for programs
      --help     print this help and exit
      --version  print version and exit
`;

/** Where people find out why namespaces may be refused. */
const SEE = "https://man7.org/linux/man-pages/man7/user_namespaces.7.html";

/** ARGV with argv[0]. Options other than these, and only in first place, mean nothing. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    switch (argv[1]) {
      case "--help":
        writeText(Deno.stderr, HELP);
        return 0;
      case "--version":
        writeText(Deno.stderr, `${VERSION}\n`);
        return 0;
      case "-v":
      case "--verbose":
        return await report(formatAbilities);
      case "--json":
        return await report((abilities, host) => formatJson(abilities, host.kernelRelease));
      default:
        return await check();
    }
  } catch (error) {
    if (!(error instanceof ChError || error instanceof SystemError)) throw error;
    new RunLog(PROGRAM, Deno.pid, Deno.stderr).error(error);
    return STATUS_FAIL;
  }
}

async function check(): Promise<number> {
  const result = await tryNamespaces(PROGRAM, openSystemHost());
  if (result.state === "missing") {
    writeText(Deno.stderr, formatFailure(result));
    return STATUS_FAIL;
  }
  writeText(Deno.stdout, "ok\n");
  return 0;
}

/** A failure in the three lines that ch-checkns prints; what to do about it ends the last. */
export function formatFailure({ reason, errno, file, line, remedy }: TrialFailure): string {
  const hint = remedy === undefined ? "" : ` (hint: ${remedy})`;
  return `error: ${file}: ${line}: ${reason}\nerrno: ${errno}\nsee: ${SEE}${hint}\n`;
}

async function report(
  format: (abilities: readonly Ability[], host: Host) => string,
): Promise<number> {
  const host = openSystemHost();
  const abilities = await listAbilities(PROGRAM, listPlaces(host), host);
  writeText(Deno.stdout, format(abilities, host));
  return isAble(abilities) ? 0 : STATUS_FAIL;
}

/** Where people have images. */
function listPlaces(host: Host): Record<string, string> {
  const user = findVariable(host.environment, "USER");
  const storage = findVariable(host.environment, "CH_IMAGE_STORAGE") ??
    (user === undefined ? "/var/tmp" : `/var/tmp/${user}.ch`);
  const home = findVariable(host.environment, "HOME");
  return { storage, ...home !== undefined && { home } };
}

/** Without namespaces nothing works; all else is for some. */
function isAble(abilities: readonly Ability[]): boolean {
  return abilities[0]?.state === "ok";
}

/** A line each, and more where something is missing. */
export function formatAbilities(abilities: readonly Ability[]): string {
  return abilities.map((ability) => {
    const line = `${ability.state.padEnd(8)} ${ability.name.padEnd(12)} ${ability.purpose}\n`;
    if (ability.state !== "missing") return line;
    const { reason, errno, remedy } = ability;
    const why = `${INDENT}${reason}${errno === 0 ? "" : ` (errno ${errno})`}\n`;
    return line + why + (remedy === undefined ? "" : `${INDENT}hint: ${remedy}\n`);
  }).join("");
}

const INDENT = " ".repeat(9);

/** The same as JSON; keys that do not apply are left out. */
export function formatJson(abilities: readonly Ability[], kernel: string): string {
  const listed = abilities.map((ability) => {
    const { name, purpose, state } = ability;
    if (ability.state !== "missing") return { name, purpose, state };
    const { reason, errno, remedy } = ability;
    return { name, purpose, state, reason, errno, remedy };
  });
  const all = { version: VERSION, kernel, ok: isAble(abilities), abilities: listed };
  return JSON.stringify(all, undefined, 2) + "\n";
}
