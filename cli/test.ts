// ch-test: a site's check of an installation on its own machines (spec other-tools §3).

import { readEnvironment } from "../ffi/process.ts";
import { ChError } from "../lib/error.ts";
import {
  CHECKED_PHASES,
  type CheckedPhase,
  listPhases,
  selectChecks,
} from "../lib/selftest/check.ts";
import { removeDataDirectory } from "../lib/selftest/data_directory.ts";
import { VERSION } from "../lib/version.ts";
import { parseArguments } from "./argparse.ts";
import { isExpected } from "./error_text.ts";
import { formatHelp } from "./help.ts";
import { Interruption } from "./interruption.ts";
import type { Logger } from "./logger.ts";
import { type Arguments, findValue, isGiven, UsageError } from "./options.ts";
import { newPlainLogger, parseEnvironment } from "./plain_logger.ts";
import { writeText } from "./standard_stream.ts";
import { listDirectories, makeRoom, prepareChecks } from "./test_directories.ts";
import { checkNamespaces, compareVersions, findTools, type Tools } from "./test_tools.ts";
import { runChecks, type Tally } from "./test_runner.ts";
import { readTestSettings, type TestSettings } from "./test_settings.ts";
import { CH_TEST, PHASES, type TestOption } from "./test_table.ts";

const STATUS_FAIL = 1;

/** Runs ch-test; ARGV[0] is its name. Returns the exit status. */
export async function main([, ...words]: readonly string[]): Promise<number> {
  const environment = parseEnvironment(readEnvironment());
  if (words.length === 0) {
    writeText(Deno.stderr, formatHelp(CH_TEST));
    return STATUS_FAIL;
  }
  const log = newPlainLogger({ quiet: 0, verbose: 0, environment, hasColour: false });
  using interruption = new Interruption(log);
  try {
    const args = parseArguments(CH_TEST, words);
    if (args.immediate !== undefined) {
      writeText(Deno.stdout, args.immediate === "help" ? formatHelp(CH_TEST) : `${VERSION}\n`);
      return 0;
    }
    return await run(args, { environment, log, signal: interruption.signal });
  } catch (error) {
    if (interruption.status !== undefined) return interruption.status;
    if (!isExpected(error) && !(error instanceof UsageError)) throw error;
    log.fatal(error);
    return STATUS_FAIL;
  }
}

interface Context {
  readonly environment: ReadonlyMap<string, string>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** What to do: checks of phases, those with TEXT in their names; or only to clean up. */
interface Task {
  readonly phases: readonly CheckedPhase[];
  readonly text: string;
  /** Whether to begin with empty directories instead of what is there. */
  readonly isFresh: boolean;
}

async function run(args: Arguments<TestOption>, context: Context): Promise<number> {
  const { environment, log } = context;
  const fabric = ["FI_PROVIDER", "FI_PROVIDER_PATH"].find((name) => environment.has(name));
  if (fabric !== undefined) {
    throw new ChError(`$${fabric} is set, which changes what would be tested`, {
      hint: `unset ${fabric}`,
    });
  }
  const settings = readTestSettings(args, environment, canOpenFuse());
  const task = readTask(args, settings);
  if (isGiven(args, "dry-run")) {
    const lines = task === undefined
      ? listDirectories(settings).map((path) => `to remove  ${path}`)
      : listChecks(task, settings);
    writeText(Deno.stdout, [...settings.lines, ...lines, ""].join("\n"));
    return 0;
  }
  if (task === undefined) {
    listDirectories(settings).forEach(removeDataDirectory);
    return 0;
  }
  writeText(Deno.stdout, [...settings.lines, ""].join("\n"));
  const tools = findTools();
  compareVersions(tools, environment, log);
  checkNamespaces(tools, environment);
  return await check(task, settings, tools, context);
}

function listChecks({ phases, text }: Task, { scope }: TestSettings): readonly string[] {
  return phases.flatMap((phase) =>
    selectChecks(phase, scope, text).map(({ name }) => `to check  ${phase}: ${name}`)
  );
}

function canOpenFuse(): boolean {
  try {
    Deno.openSync("/dev/fuse", { read: true, write: true }).close();
    return true;
  } catch {
    return false; // whatever the reason: without it images have to be unpacked
  }
}

/** Undefined for cleaning up. Throws a UsageError. */
function readTask(args: Arguments<TestOption>, { scope }: TestSettings): Task | undefined {
  const [word] = args.positionals;
  const file = findValue(args, "file");
  if (file !== undefined) {
    if (word !== undefined) throw new UsageError(`phase: not with --file: ${word}`);
    const [name, ...text] = file.split(":");
    const phase = CHECKED_PHASES.find((each) => each === name);
    if (phase === undefined) throw new UsageError(`--file: no such phase: ${name}`);
    const task = { phases: [phase], text: text.join(":"), isFresh: false };
    if (selectChecks(phase, scope, task.text).length > 0) return task;
    throw new UsageError(`--file: no check of scope ${scope} has this in its name: ${task.text}`);
  }
  if (word === undefined) throw new UsageError("phase: no phase specified");
  const phase = PHASES.find((each) => each === word);
  switch (phase) {
    case undefined:
      throw new UsageError(`phase: invalid: ${word}`);
    case "clean":
      return undefined;
    case "all":
      return { phases: listPhases(scope), text: "", isFresh: true };
    default:
      return { phases: [phase], text: "", isFresh: true };
  }
}

async function check(
  { phases, text, isFresh }: Task,
  settings: TestSettings,
  tools: Tools,
  { environment, signal }: Context,
): Promise<number> {
  const total: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const phase of phases) {
    if (isFresh) makeRoom(phase, settings);
    const tally = await runChecks(phase, selectChecks(phase, settings.scope, text), {
      environment: prepareChecks(settings, tools, environment),
      scratchDirectory: settings.scratchDirectory,
      signal,
    });
    for (const kind of ["passed", "failed", "skipped"] as const) total[kind] += tally[kind];
  }
  removeDataDirectory(settings.scratchDirectory);
  const { passed, failed, skipped } = total;
  writeText(Deno.stdout, `${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  if (passed === 0 || failed > 0 || settings.isPedantic && skipped > 0) return STATUS_FAIL;
  writeText(Deno.stdout, "All tests passed.\n");
  return 0;
}
