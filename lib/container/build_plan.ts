// The plan of one RUN of a Dockerfile (spec dockerfile §9): as `ch-run -w -u0 -g0 --no-passwd` does it,
// but what the instruction changes goes to a directory of its own, and the Dockerfile's variables are
// the whole environment.

import type { Plan, Step } from "../../ffi/plan.ts";
import { formatArgv } from "./argv_text.ts";
import { type Bind, listDefaultBinds } from "./binds.ts";
import { findCommandSearch } from "./command_steps.ts";
import { planEnvironment } from "./environment.ts";
import type { Host } from "./host.ts";
import { findScratch, planNamespaces, STATUS_EXEC, STATUS_FAIL } from "./plan.ts";
import { hasRootHome } from "./planned_files.ts";
import { buildSeccompFilter } from "./seccomp.ts";

export interface BuildRun {
  /** Absolute path of the unpacked image. */
  readonly imageDir: string;
  /** Where changes go: to UPPER, an empty directory on IMAGEDIR's file system with an empty WORK beside
   * it, or straight to the image where overlay is not to be had; or there must be none. */
  readonly changes:
    | { readonly upper: string; readonly work: string }
    | "in-place"
    | "read-only";
  readonly argv: readonly string[];
  /** "NAME=VALUE" of the build; HOME, PATH and CH_RUNNING get ch-run's treatment. */
  readonly environment: readonly string[];
  /** Working directory; must exist in the image. */
  readonly cwd: string;
  readonly binds: readonly Bind[];
  /** Steps that mount more, once the binds are there. Their targets exist. */
  readonly mounts: readonly Step[];
  /** Only the loopback device (`--network=none`). */
  readonly noNetwork: boolean;
  /** Fake calls that need privilege (`--force=seccomp`). */
  readonly seccomp: boolean;
  /** Name before [PID] in messages, "ch-run" by custom. */
  readonly program: string;
  readonly verbosity: number;
}

/** Plan of a RUN, for `spawnInit` of ffi/process.ts. Exit status 31: the container could not be made;
 * 49: the command could not be executed; else the command's. */
export function planBuildRun(run: BuildRun, host: Host): Plan {
  const image = { type: "directory", root: run.imageDir } as const;
  const steps: Step[] = [
    { op: "supervise" }, // an interrupted build leaves nobody behind
    ...planNamespaces({ uid: 0, gid: 0, noNetwork: run.noNetwork }, image, host),
    { op: "scratch", on: findScratch(host) },
    { op: "root", image: run.imageDir, readOnly: run.changes === "read-only" },
  ];
  if (typeof run.changes === "object") steps.push({ op: "overlay", ...run.changes });

  // Always the host's /tmp: a TMPDIR in a Dockerfile must not choose what is bound.
  for (const bind of [...listDefaultBinds(), TMP]) {
    steps.push({ op: "bind", ...bind, ranch: false });
  }
  for (const bind of run.binds) steps.push({ op: "bind", ...bind, missing: "make", ranch: false });
  steps.push(...run.mounts, { op: "pivot" });
  if (run.seccomp) steps.push({ op: "seccomp", program: buildSeccompFilter().program });
  steps.push({ op: "chdir", path: run.cwd });
  if (run.verbosity >= 1) steps.push({ op: "log", text: `executing: ${formatArgv(run.argv)}` });
  steps.push({ op: "no_new_privs" });

  const { entries } = planEnvironment({
    base: run.environment,
    home: hasRootHome(steps, image, host) ? "/root" : "/",
    keepTmpdir: true,
    changes: [],
    expand: false,
    readImageFile: () => new Uint8Array(),
    readImageDefaults: () => [],
  });
  steps.push({ op: "exec", argv: run.argv, env: entries, search: findCommandSearch(entries) });

  return {
    program: run.program,
    image: run.imageDir,
    verbosity: run.verbosity,
    warnings: "",
    statusFail: STATUS_FAIL,
    statusExec: STATUS_EXEC,
    steps,
  };
}

const TMP = { source: "/tmp", target: "/tmp", missing: "fail" } as const;
