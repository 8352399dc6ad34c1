// ch-run-oci: as much of an OCI runtime as Buildah needs for RUN (spec other-tools §2).

import { readEnvironment, spawnInit } from "../ffi/process.ts";
import { openSystemHost } from "../lib/container/system_host.ts";
import { ChError } from "../lib/error.ts";
import {
  type Bundle,
  findBundle,
  findSupervisor,
  forgetSupervisor,
  formatState,
  markDone,
  markStarted,
  setSupervisor,
} from "../lib/oci_runtime/bundle.ts";
import { parseConfig, type RuntimeConfig } from "../lib/oci_runtime/config.ts";
import { listVariables, planContainer } from "../lib/oci_runtime/plan_container.ts";
import { prepareRootfs } from "../lib/oci_runtime/prepare_rootfs.ts";
import { VERSION } from "../lib/version.ts";
import { parseArguments, parseLeadingOptions } from "./argparse.ts";
import { isExpected } from "./error_text.ts";
import { formatHelp, formatUsage } from "./help.ts";
import { newLogger } from "./image/new_logger.ts";
import { Interruption } from "./interruption.ts";
import type { Logger } from "./logger.ts";
import { type Arguments, countGiven, findValue, isGiven, UsageError } from "./options.ts";
import { parseEnvironment } from "./plain_logger.ts";
import {
  type CreateOption,
  type Operation,
  operationCommand,
  OPERATIONS,
  RUN_OCI,
} from "./run_oci_table.ts";
import { startSupervisor, stopSupervisor, superviseNothing } from "./run_oci_supervisor.ts";
import { writeText } from "./standard_stream.ts";
import { checkRepetitions, MOST } from "./verbosity.ts";

const STATUS_ERROR = 1, STATUS_USAGE = 2;

type Environment = ReadonlyMap<string, string>;

/** Runs ch-run-oci; ARGV[0] is its name. Returns the exit status. */
export async function main([, ...words]: readonly string[]): Promise<number> {
  const environment = parseEnvironment(readEnvironment());
  if (words[0] === "supervise" && words.length === 1) return await superviseNothing();
  if (words.length === 0) {
    writeText(Deno.stderr, formatHelp(RUN_OCI));
    return STATUS_ERROR;
  }
  try {
    const { args: general, rest: [name, ...rest] } = parseLeadingOptions(RUN_OCI.options, words);
    if (general.immediate !== undefined) {
      writeText(Deno.stdout, general.immediate === "help" ? formatHelp(RUN_OCI) : `${VERSION}\n`);
      return 0;
    }
    const operation = OPERATIONS.find((each) => each === name);
    if (operation === undefined) throw new UsageError(`no such operation: ${name ?? ""}`);
    const args = parseArguments(operationCommand(operation), rest);
    const verbosity = countGiven(general, "verbose");
    const log = newLogger(Math.min(MOST, verbosity), isGiven(general, "debug"), environment);
    return await run(operation, args, { environment, log, verbosity });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    writeText(Deno.stderr, `${formatUsage(RUN_OCI)}\nerror: ${error.message}\n`);
    return STATUS_USAGE;
  }
}

interface Context {
  readonly environment: Environment;
  readonly log: Logger;
  readonly verbosity: number;
}

async function run(
  operation: Operation,
  args: Arguments<CreateOption>,
  context: Context,
): Promise<number> {
  using interruption = new Interruption(context.log);
  try {
    checkRepetitions("verbose", context.verbosity);
    // For looking at what Buildah does meanwhile.
    if (context.environment.get("CH_RUN_OCI_HANG") === operation) {
      await untilAborted(interruption.signal);
    }
    await carryOut(operation, args, context, interruption.signal);
    return 0;
  } catch (error) {
    if (interruption.status !== undefined) return interruption.status;
    if (!isExpected(error)) throw error;
    context.log.fatal(error);
    return STATUS_ERROR;
  }
}

async function carryOut(
  operation: Operation,
  args: Arguments<CreateOption>,
  context: Context,
  signal: AbortSignal,
): Promise<void> {
  const host = openSystemHost();
  const bundle = findBundle(
    {
      id: args.positionals[0]!,
      bundle: findValue(args, "bundle"),
      pidFile: findValue(args, "pid-file"),
      temporary: context.environment.get("TMPDIR"),
    },
    (path) => host.stat(path) === "directory",
  );
  const config = parseConfig(Deno.readFileSync(`${bundle.path}/config.json`));
  switch (operation) {
    case "create":
      return await create(bundle, args);
    case "start":
      return await start(bundle, config, context, signal);
    case "state":
      writeText(Deno.stdout, formatState(bundle));
      return;
    case "kill":
      return;
    case "delete":
      return await removeSupervisor(bundle);
    default:
      return operation satisfies never;
  }
}

/** The container begins with a process that only stands for it. */
async function create(bundle: Bundle, args: Arguments<CreateOption>): Promise<void> {
  if (isGiven(args, "console-socket")) throw new ChError("--console-socket not supported");
  if (findSupervisor(bundle) !== undefined) throw new ChError("container already created");
  const child = await startSupervisor();
  try {
    setSupervisor(bundle, child.pid);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

async function start(
  bundle: Bundle,
  config: RuntimeConfig,
  context: Context,
  signal: AbortSignal,
): Promise<void> {
  if (findSupervisor(bundle) === undefined) throw new ChError("can’t start: not created yet");
  if (config.unsupported !== undefined) throw new ChError(`not supported: ${config.unsupported}`);
  const root = config.root.startsWith("/") ? config.root : `${bundle.path}/${config.root}`;
  const variables = listVariables(config);
  Deno.writeTextFileSync(
    `${bundle.path}/environment`,
    variables.map((entry) => `${entry}\n`).join(""),
  );
  prepareRootfs(root);
  markStarted(bundle);
  try {
    const status = await execute(config, root, context, signal);
    if (status !== 0) throw new ChError(`user command failed: ${status}`);
  } finally {
    markDone(bundle);
    await removeSupervisor(bundle);
  }
}

/** What the command prints on either stream goes to standard error. Returns its status. */
async function execute(
  config: RuntimeConfig,
  root: string,
  { log, verbosity }: Context,
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted();
  const child = spawnInit(planContainer(config, root, { host: openSystemHost(), log, verbosity }), [
    0,
    2,
    2,
  ]);
  const kill = () => child.kill("SIGTERM");
  signal.addEventListener("abort", kill);
  try {
    const ending = await child.wait();
    signal.throwIfAborted();
    return "status" in ending ? ending.status : 128 + ending.signal;
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

async function removeSupervisor(bundle: Bundle): Promise<void> {
  const pid = findSupervisor(bundle);
  if (pid === undefined) return;
  await stopSupervisor(pid);
  forgetSupervisor(bundle);
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const alive = setInterval(() => {}, 1 << 30);
    signal.addEventListener("abort", () => {
      clearInterval(alive);
      reject(signal.reason);
    });
  });
}
