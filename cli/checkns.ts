// ch-checkns: can containers run on this machine? (spec ch-run §10) And, on request, which of them, and
// what to do about the others.

import { SystemError } from "../ffi/system_error.ts";
import { tryNamespaces } from "../lib/container/abilities.ts";
import { STATUS_FAIL } from "../lib/container/plan.ts";
import { openSystemHost } from "../lib/container/system_host.ts";
import type { TrialFailure } from "../lib/container/trial_failure.ts";
import { ChError } from "../lib/error.ts";
import { VERSION } from "../lib/version.ts";
import { report } from "./ability_report.ts";
import { RunLog } from "./run_log.ts";
import { writeText } from "./standard_stream.ts";

const PROGRAM = "ch-checkns";

const HELP = `Usage: ${PROGRAM} [OPTION]

Check whether user and mount namespaces work here as ch-run needs them: prints
"ok" and exits with 0 if they do; else says what failed and exits with ${STATUS_FAIL}.

  -v, --verbose  print what of containers works here, and for what does not,
                 why, and what to do about it, as "ch doctor" does; the exit
                 status is the same
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
        return await report(PROGRAM, "text");
      case "--json":
        return await report(PROGRAM, "json");
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
