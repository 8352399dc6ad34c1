// Commands in the image in the making. What a command changes goes to an overlay's upper directory and
// into the image only when it succeeded, so a failed one leaves no trace, and files that the image
// shares with others stay what they are. Where there is no overlay, the image must share nothing.

import { openNullDevice } from "../../ffi/null_device.ts";
import { displayOsString } from "../../ffi/os_string.ts";
import type { Plan, Step } from "../../ffi/plan.ts";
import type { Child, Ending, Stdio } from "../../ffi/process.ts";
import { openRoot, readEntry } from "../../ffi/tree.ts";
import { removeTree, setMode, setTime } from "../../ffi/tree_change.ts";
import { applyOverlay } from "../../ffi/tree_whole.ts";
import type { Bind } from "../container/binds.ts";
import { planBuildRun } from "../container/build_plan.ts";
import type { Host } from "../container/host.ts";
import { STATUS_EXEC } from "../container/plan.ts";
import type { Log } from "../log/log.ts";
import { type Output, OutputTap } from "./output.ts";

/** The image in the making, as far as running a command needs it. */
export interface RunTree {
  readonly rootPath: string;
  readonly rootFd: number;
  /** Whether changes go through an overlay. */
  readonly hasOverlay: boolean;
  /** A new empty directory on the same file system; returns its path. */
  newDirectory(name: string): string;
  /** Called with an overlay's upper directory after a command, before that is merged into the tree. */
  readonly onChanges?: (upperFd: number, purpose: CommandPurpose) => Promise<void>;
}

export interface ContainerTools {
  readonly host: Host;
  readonly spawn: (plan: Plan, stdio: Stdio) => Child;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** -3 to 3; from -2 on the command's output goes nowhere, see {@linkcode silenceOutput}. */
  readonly verbosity: number;
  readonly binds: readonly Bind[];
  readonly output: Output;
  /**
   * If given, a shell is run where a command has failed, with the caller's own standard streams. Called
   * with what to say of it before it begins; disposed when it ends. Undefined if another command that has
   * failed had one, which has ended then.
   */
  readonly shellOnFail?: ((announcement: string) => Promise<Disposable | undefined>) | undefined;
}

/** How a command ended. */
export interface CommandResult {
  /** Exit status, or minus the number of the signal. */
  readonly status: number;
  /** The last lines of output, if they are not on the caller's terminal anyway. */
  readonly lastLines: readonly string[];
}

export interface ContainerCommand {
  readonly argv: readonly string[];
  readonly environment: readonly string[];
  readonly cwd: string;
  /** System calls that need root succeed without effect. */
  readonly seccomp: boolean;
  /** Mounted besides the default binds, on targets that exist. */
  readonly mounts?: readonly Step[];
  readonly noNetwork?: boolean;
  /** The instruction's own, or one that has to come before it. */
  readonly purpose: CommandPurpose;
  /** What `shellOnFail` runs. */
  readonly shell: string;
}

export type CommandPurpose = "instruction" | "preparation";

/**
 * Runs COMMAND in TREE: status 49 if it could
 * not be executed, 31 if the container could not be made; why is on standard error then. Throws the
 * signal's reason if the build was told to stop.
 */
export async function runInTree(
  command: ContainerCommand,
  tree: RunTree,
  tools: ContainerTools,
): Promise<CommandResult> {
  for (const variable of command.environment) {
    tools.log.verbose(`env: ${displayOsString(variable)}`);
  }
  const { purpose } = command;
  return await runOnTree(
    { ...tree, onChanges: (upperFd) => tree.onChanges?.(upperFd, purpose) ?? Promise.resolve() },
    tools,
    (changes) => planCommand(command, tree, changes, tools),
    async (changes) => {
      if (purpose !== "instruction" || tools.shellOnFail === undefined) return;
      using terminal = await tools.shellOnFail(
        `--shell-on-fail: ${command.shell} in the failed step; nothing of it is kept`,
      );
      if (terminal !== undefined) await openShell(command, tree, changes, tools);
    },
  );
}

/** The failed command's surroundings are all there still, what it changed included. */
async function openShell(
  command: ContainerCommand,
  tree: RunTree,
  changes: Changes,
  tools: ContainerTools,
): Promise<void> {
  const argv = [command.shell];
  const plan = planCommand({ ...command, argv }, tree, changes, { ...tools, verbosity: 0 });
  const child = tools.spawn(plan, [0, 1, 2]);
  const kill = () => child.kill("SIGTERM");
  tools.signal.addEventListener("abort", kill);
  try {
    const status = statusOf(await child.wait());
    if (status === STATUS_EXEC) tools.log.warning(`--shell-on-fail: can’t run ${command.shell}`);
  } finally {
    tools.signal.removeEventListener("abort", kill);
  }
}

export type SpawnTools = Pick<ContainerTools, "spawn" | "signal" | "output">;

/** Where changes go. */
export type Changes = { readonly upper: string; readonly work: string } | "in-place";

/** Carries out what PLAN makes; its exit status is as {@linkcode runInTree} has it. */
export async function runOnTree(
  tree: RunTree,
  tools: SpawnTools,
  plan: (changes: Changes) => Plan,
  onFailure: OnFailure = () => Promise.resolve(),
): Promise<CommandResult> {
  if (tree.hasOverlay) return await runInOverlay(tree, tools, plan, onFailure);
  const result = await spawnAndWait(plan("in-place"), tools);
  if (result.status !== 0) await onFailure("in-place");
  return result;
}

/** Called after a command that failed, while its changes are there still. */
type OnFailure = (changes: Changes) => Promise<void>;

const WORKSPACE = "run";

async function runInOverlay(
  tree: RunTree,
  tools: SpawnTools,
  plan: (changes: Changes) => Plan,
  onFailure: OnFailure,
): Promise<CommandResult> {
  const path = tree.newDirectory(WORKSPACE);
  using workspace = openRoot(path);
  try {
    const changes = { upper: `${path}/upper`, work: `${path}/work` };
    Deno.mkdirSync(changes.upper);
    Deno.mkdirSync(changes.work);
    // The upper directory is what the command sees of the root directory itself.
    const root = readEntry(tree.rootFd, "");
    setMode(workspace.fd, "upper", root.mode);
    setTime(workspace.fd, "upper", root);
    const result = await spawnAndWait(plan(changes), tools);
    if (result.status !== 0) {
      // The kernel does not take what another overlay has worked in.
      removeTree(workspace.fd, "work");
      Deno.mkdirSync(changes.work);
      await onFailure(changes);
      return result;
    }
    using upper = openRoot(changes.upper);
    await tree.onChanges?.(upper.fd, "instruction");
    await applyOverlay(upper.fd, tree.rootFd);
    return result;
  } finally {
    removeTree(workspace.fd, "upper");
    removeTree(workspace.fd, "work");
    Deno.removeSync(path);
  }
}

function planCommand(
  command: ContainerCommand,
  tree: RunTree,
  changes: Changes,
  { host, binds, verbosity }: ContainerTools,
): Plan {
  const plan = planBuildRun(
    {
      ...command,
      mounts: command.mounts ?? [],
      noNetwork: command.noNetwork ?? false,
      imageDir: tree.rootPath,
      changes,
      binds,
      program: "ch-run",
      verbosity,
    },
    host,
  );
  return { ...plan, steps: silenceOutput(plan.steps, verbosity) };
}

/** The plan's steps, silenced as VERBOSITY asks: from -qq on a child's standard output is silent, with -qqq
 * its standard error as well. */
export function silenceOutput(steps: readonly Step[], verbosity: number): Step[] {
  if (verbosity > -2) return [...steps];
  const silence: Step = { op: "silence", stdout: true, stderr: verbosity <= -3 };
  return steps.flatMap<Step>((step) => step.op === "exec" ? [silence, step] : [step]);
}

/** Runs PLAN, without input. */
export async function spawnAndWait(
  plan: Plan,
  { spawn, signal, output }: SpawnTools,
): Promise<CommandResult> {
  signal.throwIfAborted();
  using nothing = openNullDevice();
  using tap = new OutputTap(output);
  const child = spawn(plan, [nothing.fd, ...tap.descriptors]);
  const kill = () => child.kill("SIGTERM");
  signal.addEventListener("abort", kill);
  try {
    const status = statusOf(await child.wait());
    // A signal from the terminal reaches the child as well, and perhaps sooner than us.
    if (INTERRUPTED.includes(status)) await new Promise((resolve) => setTimeout(resolve, 50));
    await tap.end();
    signal.throwIfAborted();
    return { status, lastLines: tap.lastLines };
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

/** How init ends when SIGHUP, SIGINT or SIGTERM told it to. */
const INTERRUPTED: readonly number[] = [128 + 1, 128 + 2, 128 + 15];

function statusOf(ending: Ending): number {
  return "status" in ending ? ending.status : -ending.signal;
}
