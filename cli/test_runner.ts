// Runs the checks of ch-test, one after the other, and prints what came of each.

import { decodeOsString } from "../ffi/os_string.ts";
import { type Check, type CheckedPhase, PRELUDE, SKIPPED } from "../lib/selftest/check.ts";
import { writeText } from "./standard_stream.ts";

export interface CheckSurroundings {
  /** All of the environment that checks get. */
  readonly environment: ReadonlyMap<string, string>;
  /** Each check gets a directory in it. */
  readonly scratchDirectory: string;
  readonly signal: AbortSignal;
}

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** A check that takes longer hangs: minutes, for the slowest of shared file systems. */
const LIMIT = 600_000;

/** Throws the signal's reason when it is aborted. */
export async function runChecks(
  phase: CheckedPhase,
  checks: readonly Check[],
  { environment, scratchDirectory, signal }: CheckSurroundings,
): Promise<Tally> {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const [index, check] of checks.entries()) {
    signal.throwIfAborted();
    const directory = `${scratchDirectory}/${phase}${index}`;
    Deno.mkdirSync(directory);
    const { code, output } = await runCheck(check, directory, environment, signal);
    signal.throwIfAborted();
    const label = `${phase}: ${check.name}`;
    switch (code) {
      case 0:
        tally.passed++;
        writeText(Deno.stdout, `ok       ${label}\n`);
        break;
      case SKIPPED:
        tally.skipped++;
        writeText(Deno.stdout, `skipped  ${label}: ${output.trim()}\n`);
        break;
      default:
        tally.failed++;
        writeText(Deno.stdout, `FAILED   ${label} (status ${code})\n${indent(output)}`);
    }
  }
  return tally;
}

async function runCheck(
  { script }: Check,
  directory: string,
  environment: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<{ code: number; output: string }> {
  const child = new Deno.Command("/bin/sh", {
    args: ["-euc", PRELUDE + script],
    cwd: directory,
    clearEnv: true,
    env: Object.fromEntries(environment),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  // With all that it started: who keeps its output open would keep us waiting.
  const stop = () => Deno.kill(-child.pid, "SIGKILL");
  const timer = setTimeout(stop, LIMIT);
  signal.addEventListener("abort", stop);
  try {
    const { code, stdout, stderr } = await child.output();
    return { code, output: decodeOsString(stdout) + decodeOsString(stderr) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

function indent(text: string): string {
  return text.split("\n").filter((line) => line !== "").map((line) => `         ${line}\n`).join(
    "",
  );
}
