// ch-checkns: can containers run on this machine? (spec ch-run §10)

import { openMemoryFile, readMemoryFile } from "../ffi/memory_file.ts";
import { decodeOsString } from "../ffi/os_string.ts";
import { spawnInit } from "../ffi/process.ts";
import { SystemError } from "../ffi/system_error.ts";
import { planCheck } from "../lib/container/check_plan.ts";
import { STATUS_FAIL } from "../lib/container/plan.ts";
import { openSystemHost } from "../lib/container/system_host.ts";
import { ChError } from "../lib/error.ts";
import { VERSION } from "../lib/version.ts";
import { RunLog } from "./run_log.ts";
import { writeText } from "./standard_stream.ts";

const PROGRAM = "ch-checkns";

const HELP = `Usage: ${PROGRAM}

Check whether user and mount namespaces work here as ch-run needs them: prints
"ok" and exits with 0 if they do; else says what failed and exits with ${STATUS_FAIL}.

      --help     print this help and exit
      --version  print version and exit
`;

/** Where people find out why namespaces may be refused. */
const SEE = "https://man7.org/linux/man-pages/man7/user_namespaces.7.html";

/** ARGV with argv[0]. Options other than the two, and only in first place, mean nothing. */
export async function main(argv: readonly string[]): Promise<number> {
  switch (argv[1]) {
    case "--help":
      writeText(Deno.stderr, HELP);
      return 0;
    case "--version":
      writeText(Deno.stderr, `${VERSION}\n`);
      return 0;
  }
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof ChError || error instanceof SystemError)) throw error;
    new RunLog(PROGRAM, Deno.pid, Deno.stderr).error(error);
    return STATUS_FAIL;
  }
}

async function check(): Promise<number> {
  using messages = openMemoryFile(`${PROGRAM} messages`);
  const child = spawnInit(planCheck(PROGRAM, openSystemHost()), [0, messages.fd, messages.fd]);
  const ending = await child.wait();
  if ("status" in ending && ending.status === 0) {
    writeText(Deno.stdout, "ok\n");
    return 0;
  }
  writeText(Deno.stderr, formatFailure(decodeOsString(readMemoryFile(messages))));
  return STATUS_FAIL;
}

/** init's message in the three lines that ch-checkns prints; its hint, if it has one, ends the last. */
export function formatFailure(messages: string): string {
  const [first = "", ...rest] = messages.trimEnd().split("\n");
  const message = /^.*?\]: error: (.*) \(([^:()]*):(\d+)(?: (\d+))?\)$/.exec(first);
  const hint = rest.map((line) => ` (${line.replace(/^.*?\]: /, "")})`).join("");
  if (message === null) {
    return `error: ${PROGRAM}: container set-up ended without a message: ${first}\n`;
  }
  const [, text, file, line, errno = "0"] = message;
  return `error: ${file}: ${line}: ${text}\nerrno: ${errno}\nsee: ${SEE}${hint}\n`;
}
