// ch-image modify -i: a shell in a copy of an image, which becomes an image when the shell ends.

import type { Stdio } from "../../ffi/process.ts";
import { openRoot } from "../../ffi/tree.ts";
import { planRun, STATUS_EXEC, STATUS_FAIL } from "../container/plan.ts";
import { ChError } from "../error.ts";
import type { ImageReference } from "../reference/reference.ts";
import { initializeImage } from "../store/initialize_image.ts";
import { readMetadata, writeMetadata } from "../store/metadata_files.ts";
import { takeTurn } from "../store/turn.ts";
import { copyTree } from "../../ffi/tree_whole.ts";
import { readClock } from "./record_changes.ts";
import type { BuildTools } from "./request.ts";

export interface HandTools extends BuildTools {
  /** The caller's own standard streams. */
  readonly stdio: Stdio;
}

/**
 * Runs SHELL in a copy of BASE, as `ch-run -w` does, and stores the copy as OUTPUT, whatever the shell's
 * status. Throws a ChError if the shell cannot be run; then nothing is stored.
 */
export async function modifyByHand(
  base: ImageReference,
  output: ImageReference,
  shell: string,
  tools: HandTools,
): Promise<void> {
  const { cache, store, log, now } = tools;
  const path = store.imagePath(base);
  using _turn = await takeTurn(store, output, tools);
  const parent = cache.mode === "disabled"
    ? undefined
    : cache.findNamed(base) ?? await cache.adopt(base);
  using image = store.newImage(output);
  using from = openRoot(path);
  log.info("copying image ...");
  // A copy in full: the shell writes to files in place.
  await copyTree(from.fd, image.rootFd, { xattrs: true });
  initializeImage(image.rootFd);
  const metadata = readMetadata(image.rootFd, path, log);
  const since = readClock((name) => image.newDirectory(name));
  const status = await runShell(shell, image.rootPath, tools);
  if (status === STATUS_EXEC || status === STATUS_FAIL) {
    throw new ChError(`can’t run shell: ${shell}`);
  }
  const created = now().toISOString().replace(/\.\d+Z$/, "Z");
  const history = [...metadata.history, { created, created_by: "MODIFY interactive" }];
  const changed = { ...metadata, history };
  writeMetadata(image.rootFd, changed, log);
  if (parent === undefined) return void image.commit();
  const state = await cache.commit({
    parent,
    // What was done is not known, so nothing is the same.
    key: { text: "MODIFY interactive", inputs: [crypto.randomUUID()] },
    metadata: changed,
    change: { kind: "paths", rootFd: image.rootFd, paths: [""], files: "copied", since },
  });
  await cache.finish(output, state, image);
}

async function runShell(
  shell: string,
  root: string,
  { binds, caller, host, log, signal, spawn, stdio, verbosity }: HandTools,
): Promise<number> {
  const { euid, egid } = host.identity;
  const plan = planRun(
    {
      program: "ch-run",
      verbosity,
      argv: [shell],
      cwd: undefined,
      imageCommand: false,
      uid: euid,
      gid: egid,
      binds,
      home: undefined,
      user: caller.get("USER") ?? "",
      privateTmp: false,
      passwd: true,
      seccomp: false,
      write: true,
      overlaySize: undefined,
      overlayDir: undefined,
      environment: [],
      expand: true,
      join: undefined,
    },
    { type: "directory", root },
    host,
    { warning: (message) => log.warning(message), warnings: "" },
  );
  const supervised = { ...plan, steps: [{ op: "supervise" } as const, ...plan.steps] };
  const child = spawn(supervised, stdio);
  const kill = () => child.kill("SIGTERM");
  signal.addEventListener("abort", kill);
  try {
    const ending = await child.wait();
    signal.throwIfAborted();
    return "status" in ending ? ending.status : -ending.signal;
  } finally {
    signal.removeEventListener("abort", kill);
  }
}
