// ch doctor: what host and image can and cannot do, each with what to do about it.

import { SystemError } from "../ffi/system_error.ts";
import { STATUS_FAIL } from "../lib/container/plan.ts";
import { ChError } from "../lib/error.ts";
import { VERSION } from "../lib/version.ts";
import { report } from "./ability_report.ts";
import { RunLog } from "./run_log.ts";
import { writeText } from "./standard_stream.ts";

const PROGRAM = "ch-doctor";

const HELP = `Usage: ch doctor [--json] [IMAGE]

Examine this host, and IMAGE (a directory, a SquashFS file or an image in
storage): what of containers works, and what there is for parallel programs. A
line each: "ok", "none" (not there, which need not matter), "missing" with what
to do about it, or "untried".

      --json     the same for programs
      --help     print this help and exit
      --version  print version and exit

Exit status: 0 if containers can run here, else ${STATUS_FAIL}.
`;

/** ARGV with argv[0]. */
export async function main([, ...words]: readonly string[]): Promise<number> {
  let form: "text" | "json" = "text", image: string | undefined;
  for (const word of words) {
    switch (word) {
      case "--json":
        form = "json";
        continue;
      case "--help":
      case "-h":
        writeText(Deno.stdout, HELP);
        return 0;
      case "--version":
        writeText(Deno.stdout, `${VERSION}\n`);
        return 0;
    }
    if (word.startsWith("-") || image !== undefined) {
      writeText(Deno.stderr, `ch doctor: error: not understood: ${word}\n${HELP}`);
      return 2;
    }
    image = word;
  }
  try {
    return await report(PROGRAM, form, image);
  } catch (error) {
    if (!(error instanceof ChError || error instanceof SystemError)) throw error;
    new RunLog(PROGRAM, Deno.pid, Deno.stderr).error(error);
    return STATUS_FAIL;
  }
}
