// ch-run: runs a command in a container. Parses, plans, and becomes c/init, which carries the plan out.

import type { Plan } from "../ffi/plan.ts";
import { replaceByInit } from "../ffi/process.ts";
import { sendToSyslog } from "../ffi/syslog.ts";
import { SystemError } from "../ffi/system_error.ts";
import { formatArgv } from "../lib/container/argv_text.ts";
import { orFail } from "../lib/container/failure.ts";
import { formatPlan } from "../lib/container/format_plan.ts";
import type { Files, Host } from "../lib/container/host.ts";
import { formatIdentity, refuseSetuid } from "../lib/container/identity.ts";
import { findImage, type Image } from "../lib/container/image.ts";
import {
  findPeerGroup,
  findProcessRoot,
  type Join,
  type PeerGroup,
} from "../lib/container/join.ts";
import {
  defaultMountPoint,
  findMountPoint,
  listMissingDirectories,
} from "../lib/container/mount_point.ts";
import { planRun, STATUS_FAIL } from "../lib/container/plan.ts";
import type { PlanImage } from "../lib/container/plan_image.ts";
import { openSystemHost } from "../lib/container/system_host.ts";
import { findVariable } from "../lib/container/variables.ts";
import { ChError } from "../lib/error.ts";
import { USER_REMEDY } from "./error_text.ts";
import { UsageError } from "./options.ts";
import {
  newRunArguments,
  parseRunArguments,
  type RunArguments,
  type RunContext,
} from "./run_arguments.ts";
import { RunLog } from "./run_log.ts";
import { writeText } from "./standard_stream.ts";

const STATUS_USAGE = 64;

/** ARGV with argv[0]. Returns the exit status; does not return if the container starts. */
export function main(argv: readonly string[]): number | Promise<number> {
  const program = (argv[0] ?? "").split("/").at(-1) || "ch-run";
  const log = new RunLog(program, Deno.pid, Deno.stderr);
  const end = (status: number) => {
    log.repeatWarnings();
    return status;
  };
  const fail = (error: unknown) => {
    if (!(error instanceof ChError || error instanceof SystemError)) throw error;
    log.error(error);
    return end(STATUS_FAIL);
  };
  try {
    const status = run(argv, log);
    return typeof status === "number" ? end(status) : status.then(end, fail);
  } catch (error) {
    return fail(error);
  }
}

function run(argv: readonly string[], log: RunLog): number | Promise<number> {
  const host = openSystemHost();
  refuseSetuid(host.identity);
  const { ruid } = host.identity;
  sendToSyslog(log.program, `uid=${ruid} args=${argv.length}: ${formatArgv(argv)}`);
  const user = findVariable(host.environment, "USER");
  if (user === undefined) {
    throw new ChError("$USER not set", { hint: USER_REMEDY });
  }

  const context = { host, log, stdout: Deno.stdout, stderr: Deno.stderr };
  const args = newRunArguments(context);
  try {
    const status = parseRunArguments(argv.slice(1), args, context);
    if (status !== undefined) return status;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const name = args.programName;
    const hint = `Try \`${name} --help' or \`${name} --usage' for more information.`;
    writeText(Deno.stderr, `${argv[0]}: ${error.message}\n${hint}\n`);
    return STATUS_USAGE;
  }
  return start(args, user, context);
}

/** From what the user wants to the container. */
function start(args: RunArguments, user: string, context: RunContext): number | Promise<number> {
  const { host, log } = context;
  log.trace(formatIdentity(host.identity));
  const storage = findStorage(args, user, host);
  const { image: name, write, unsafe } = args;
  const image = findImage(
    { image: name, storage, write, unsafe },
    host,
    (text) => log.verbose(text),
  );
  if (image.type === "directory" && args.mountPoint !== undefined) {
    log.warning("--mount invalid with directory image, ignoring");
  }
  const mountPoint = image.type === "squash" && args.mountPoint !== undefined
    ? findMountPoint(args.mountPoint, host)
    : undefined;
  const note = (text: string) => log.verbose(text);
  const group = args.peers && findPeerGroup(args.peers, host, note);
  logRequest(args, image.type === "squash" ? mountPoint : image.root, storage, group, log);

  if (args.joinPid !== 0) {
    const join = { kind: "process", pid: args.joinPid } as const;
    const root = findProcessRoot(join.pid, host);
    return becomeContainer(args, user, { type: "directory", root }, join, context);
  }
  if (image.type !== "squash") {
    return becomeContainer(args, user, { type: "directory", root: image.root }, group, context);
  }
  return startSquash(args, user, { ...image, mountPoint }, group, context);
}

async function startSquash(
  args: RunArguments,
  user: string,
  image: Image & { type: "squash"; mountPoint: string | undefined },
  group: Join | undefined,
  context: RunContext,
): Promise<number> {
  const mountPoint = image.mountPoint ?? defaultMountPoint(user);
  if (image.mountPoint === undefined) {
    context.log.verbose(`using default mount point: ${mountPoint}`);
  }
  // Only now, because a directory image needs none of it.
  const { openSquashFiles } = await import("../lib/container/squash_files.ts");
  const files: Files = openSquashFiles(image.file);
  const missing = listMissingDirectories(mountPoint, context.host);
  return becomeContainer(args, user, { ...image, mountPoint, missing, files }, group, context);
}

function becomeContainer(
  args: RunArguments,
  user: string,
  image: PlanImage,
  join: Join | undefined,
  { host, log, stdout }: RunContext,
): number {
  const options = { ...args, program: log.program, verbosity: log.verbosity, user, join };
  const plan = planRun(options, image, host, log);
  if (args.dryRun) {
    writeText(stdout, formatPlan(withoutMessages(plan)));
    return 0;
  }
  logPlan(plan, log);
  return orFail("can't start the container", () => replaceByInit(plan));
}

function logPlan(plan: Plan, log: RunLog): void {
  if (log.verbosity < 2) return;
  for (const line of formatPlan(withoutMessages(plan)).trimEnd().split("\n")) {
    log.debug(`plan: ${line}`);
  }
}

/** The steps that do something. */
function withoutMessages(plan: Plan): Plan {
  return { ...plan, steps: plan.steps.filter(({ op }) => op !== "log") };
}

/** The storage directory, canonical if it exists (spec ch-run §2.2). */
function findStorage(args: RunArguments, user: string, host: Host): string {
  const path = args.storage ?? findVariable(host.environment, "CH_IMAGE_STORAGE") ??
    `/var/tmp/${user}.ch`;
  return orFail(`can't canonicalize: ${path}`, () => host.realPath(path)) ?? path;
}

/** What `-v` shows of every run. */
function logRequest(
  args: RunArguments,
  newRoot: string | undefined,
  storage: string,
  group: PeerGroup | undefined,
  log: RunLog,
): void {
  const flag = (value: boolean) => value ? 1 : 0;
  log.verbose(`verbosity: ${log.verbosity}`);
  log.verbose(`image: ${args.image}`);
  log.verbose(`storage: ${storage}`);
  log.verbose(`newroot: ${newRoot ?? "(null)"}`);
  log.verbose(`container uid: ${args.uid}`);
  log.verbose(`container gid: ${args.gid}`);
  const { count = 0, tag = "(null)" } = group ?? {};
  log.verbose(`join: ${flag(group !== undefined)} ${count} ${tag} ${args.joinPid}`);
  log.verbose(`private /tmp: ${flag(args.privateTmp)}`);
  log.verbose(`seccomp: ${flag(args.seccomp)}`);
  log.verbose(`unsafe: ${flag(args.unsafe)}`);
}
