// RSYNC carried out by the host's rsync(1). It writes through an overlay, as RUN does, so it may change
// files in place; the rest of what it sees is the host.

import { displayOsString } from "../../ffi/os_string.ts";
import type { Plan } from "../../ffi/plan.ts";
import { makeDirectories } from "../../ffi/tree_change.ts";
import { findCommandSearch } from "../container/command_steps.ts";
import { findScratch, planNamespaces, STATUS_EXEC, STATUS_FAIL } from "../container/plan.ts";
import { ChError } from "../error.ts";
import type { RsyncAction } from "./action.ts";
import { type Changes, runOnTree, type RunTree, silenceOutput } from "./container.ts";
import { quoteForShell } from "./force_command.ts";
import type { BuildTools } from "./request.ts";
import { resolveInRoot } from "../../ffi/tree.ts";

export interface RsyncExecution {
  readonly tree: RunTree;
  readonly tools: BuildTools;
  readonly directoryMode: number;
}

/** Where the image is for rsync. */
export function locateImage({ host }: Pick<BuildTools, "host">): string {
  return `${findScratch(host)}/root`;
}

/** Throws a ChError if rsync fails; the tree is what it was then, where there is an overlay. */
export async function executeRsync(
  { options, sources, destination }: RsyncAction,
  { tree, tools, directoryMode }: RsyncExecution,
): Promise<void> {
  // rsync makes the last component only; links of the image must not lead it away.
  makeDirectories(tree.rootFd, parentOfDestination({ destination }), directoryMode);
  const { path } = resolveInRoot(tree.rootFd, destination, { missing: "allow" });
  const slash = destination.endsWith("/") ? "/" : "";
  const words = ["rsync", ...options, "--", ...sources, `${locateImage(tools)}/${path}${slash}`];
  tools.log.verbose(`executing: ${words.map(quoteForShell).join(" ")}`);
  const { status } = await runOnTree(
    tree,
    tools,
    (changes) => planRsync(words, changes, tree, tools),
  );
  if (status !== 0) {
    const shown = displayOsString(words.map(quoteForShell).join(" "));
    throw new ChError(`command failed with code ${status}: ${shown}`);
  }
}

/** Directory that is made for rsync to make its destination in. */
export function parentOfDestination({ destination }: Pick<RsyncAction, "destination">): string {
  return destination.replace(/[^/]*\/*$/, "");
}

/** As RUN's, but it stays outside: the image is below the scratch directory. */
function planRsync(
  argv: readonly string[],
  changes: Changes,
  { rootPath }: RunTree,
  { caller, host, verbosity }: BuildTools,
): Plan {
  const env = [...caller].map(([name, value]) => `${name}=${value}`);
  const { euid, egid } = host.identity;
  return {
    program: "ch-run",
    image: rootPath,
    verbosity,
    warnings: "",
    statusFail: STATUS_FAIL,
    statusExec: STATUS_EXEC,
    steps: silenceOutput([
      { op: "supervise" },
      ...planNamespaces({ uid: euid, gid: egid }, { type: "directory", root: rootPath }, host),
      { op: "scratch", on: findScratch(host) },
      { op: "root", image: rootPath, readOnly: false },
      ...changes === "in-place" ? [] : [{ op: "overlay", ...changes } as const],
      { op: "exec", argv, env, search: findCommandSearch(env) },
    ], verbosity),
  };
}

const OLDEST = [3, 1, 0] as const;

/** Throws a ChError if the host has no rsync(1) that is new enough. */
export function requireRsync(caller: ReadonlyMap<string, string>): void {
  const path = caller.get("PATH");
  let text: string;
  try {
    const { stdout } = new Deno.Command("rsync", {
      args: ["--version"],
      clearEnv: true,
      ...path === undefined ? {} : { env: { PATH: path } },
      stdin: "null",
      stderr: "null",
    }).outputSync();
    text = new TextDecoder().decode(stdout);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ChError("Dockerfile uses RSYNC, so rsync(1) is required");
  }
  const version = /version v?(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  if (version !== undefined && isNewEnough(version)) return;
  const shown = version?.join(".") ?? "unknown";
  throw new ChError(
    `Dockerfile uses RSYNC, so rsync(1) ≥ ${OLDEST.join(".")} is required: ${shown}`,
  );
}

function isNewEnough(version: readonly number[]): boolean {
  const differing = OLDEST.findIndex((number, index) => version[index] !== number);
  return differing < 0 || version[differing]! > OLDEST[differing]!;
}
