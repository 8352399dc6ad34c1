// What a prepared instruction does to the files of the image in the making.

import { displayOsString } from "../../ffi/os_string.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { makeDirectories } from "../../ffi/tree_change.ts";
import { newBreather } from "../breather.ts";
import { ChError } from "../error.ts";
import type { Action } from "./action.ts";
import type { RunTree } from "./container.ts";
import { executeCopyAction } from "./copy_execute.ts";
import { makeMounts } from "./mounts.ts";
import { describeRunFailure } from "./failure.ts";
import type { BuildTools } from "./request.ts";
import type { RootEmulation } from "./root_emulation.ts";
import { executeRsync } from "./rsync.ts";
import { SCRIPT } from "./run_prepare.ts";
import type { StageState } from "./state.ts";

export interface Execution {
  readonly tree: RunTree;
  /** With the action applied. */
  readonly state: StageState;
  readonly emulation: RootEmulation;
  readonly tools: BuildTools;
  /** Of directories that are made: 0777 less the umask. */
  readonly directoryMode: number;
}

/** Throws a ChError if it fails; the tree must be thrown away then. */
export async function executeAction(action: Action, execution: Execution): Promise<void> {
  switch (action.op) {
    case "arg":
    case "configure":
    case "env":
    case "label":
    case "shell":
      return;
    case "copy":
      return await executeCopyIn(action.copy, execution);
    case "rsync":
      return await executeRsync(action.rsync, execution);
    case "run":
      return await executeRun(action.run, execution);
    case "workdir":
      return makeDirectoryIn(action.path, execution);
    default:
      action satisfies never;
  }
}

async function executeCopyIn(
  copy: Extract<Action, { op: "copy" }>["copy"],
  { tree, tools, directoryMode }: Execution,
): Promise<void> {
  const { caller, log, now, signal } = tools;
  await executeCopyAction(copy, {
    rootFd: tree.rootFd,
    newDirectory: (name) => tree.newDirectory(name),
    directoryMode,
    checkpoint: newCheckpoint(signal),
    caller,
    log,
    now,
    signal,
  });
}

/** Work on files is synchronous: signals are seen only when it pauses. */
function newCheckpoint(signal: AbortSignal): () => Promise<void> {
  const breathe = newBreather(50);
  return async () => {
    await breathe();
    signal.throwIfAborted();
  };
}

async function executeRun(
  run: Extract<Action, { op: "run" }>["run"],
  execution: Execution,
): Promise<void> {
  // The working directory of an imported image may not exist.
  makeDirectoryIn(execution.state.cwd, execution);
  const { emulation, state, tree, tools } = execution;
  const script = run.script === undefined ? undefined : { path: SCRIPT, content: run.script };
  using mounted = await makeMounts(run.mounts, script, {
    rootFd: tree.rootFd,
    newDirectory: (name) => tree.newDirectory(name),
    secrets: tools.secrets,
    caches: tools.caches,
  });
  const { status, lastLines } = await emulation.run(run, {
    tree,
    tools,
    environment: state.variables.list(),
    cwd: state.cwd,
    shell: state.shell[0] ?? "/bin/sh",
  }, {
    mounts: mounted.steps,
    variables: mounted.variables,
    noNetwork: run.network === "none",
  });
  if (status !== 0) throw describeRunFailure(run, status, lastLines, emulation);
}

function makeDirectoryIn(path: string, { tree, directoryMode }: Execution): void {
  try {
    makeDirectories(tree.rootFd, path, directoryMode);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const isFile = error.code === "EEXIST" || error.code === "ENOTDIR";
    const shown = `can’t mkdir: ${displayOsString(path)}`;
    throw isFile ? new ChError(`${shown}: File exists`) : new ChError(shown, { cause: error });
  }
}
