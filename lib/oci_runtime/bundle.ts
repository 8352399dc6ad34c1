// An OCI runtime's bundle as Buildah makes it: where it is, what state its container is in. The state is kept
// in files of the bundle (spec other-tools §2.4).

import { ChError } from "../error.ts";

export interface BundleRequest {
  readonly id: string;
  /** `--bundle` */
  readonly bundle: string | undefined;
  /** `--pid-file` */
  readonly pidFile: string | undefined;
  /** $TMPDIR, where Buildah may put bundles. */
  readonly temporary: string | undefined;
}

export interface Bundle {
  readonly id: string;
  readonly path: string;
}

export type Status = "creating" | "created" | "running" | "stopped";

/** Marks in the bundle. */
const STARTED = "user_started", DONE = "user_done";

/** Throws a ChError if ID, or what the options say, is not Buildah's. */
export function findBundle(request: BundleRequest, exists: (path: string) => boolean): Bundle {
  const { id, bundle, pidFile, temporary } = request;
  const [, name] = /^buildah-(buildah.+)$/.exec(id) ?? [];
  if (name === undefined || name.includes("/")) {
    throw new ChError(`cannot parse container ID: ${id}`, {
      hint: "this runtime is for Buildah alone, whose IDs begin with “buildah-buildah”",
    });
  }
  const parents = [...temporary ? [temporary.replace(/(.)\/+$/, "$1")] : [], "/tmp", "/var/tmp"];
  const candidates = [...new Set(parents)].map((parent) => `${parent}/${name}`);
  const path = candidates.find(exists) ??
    (bundle !== undefined && exists(bundle) ? bundle : undefined);
  if (path === undefined) {
    throw new ChError(`can’t infer bundle path; none of these exist: ${candidates.join(" ")}`);
  }
  if (bundle !== undefined && bundle !== path) {
    throw new ChError(`bundle argument “${bundle}” differs from inferred bundle “${path}”`);
  }
  if (pidFile !== undefined && pidFile !== `${path}/pid`) {
    throw new ChError(`pid_file argument “${pidFile}” differs from inferred “${path}/pid”`);
  }
  return { id, path };
}

/** PID of the supervisor, a process that only stands for the container; undefined if there is none. */
export function findSupervisor({ path }: Bundle): number | undefined {
  const text = findText(`${path}/pid`);
  return text !== undefined && /^[1-9][0-9]*\n?$/.test(text) ? Number(text) : undefined;
}

export function setSupervisor({ path }: Bundle, pid: number): void {
  Deno.writeTextFileSync(`${path}/pid.new`, `${pid}\n`);
  Deno.renameSync(`${path}/pid.new`, `${path}/pid`);
}

export function forgetSupervisor({ path }: Bundle): void {
  try {
    Deno.removeSync(`${path}/pid`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

export function markStarted({ path }: Bundle): void {
  Deno.writeTextFileSync(`${path}/${STARTED}`, "");
}

export function markDone({ path }: Bundle): void {
  Deno.writeTextFileSync(`${path}/${DONE}`, "");
}

export function findStatus(bundle: Bundle): Status {
  if (findText(`${bundle.path}/${DONE}`) !== undefined) return "stopped";
  if (findText(`${bundle.path}/${STARTED}`) !== undefined) return "running";
  return findSupervisor(bundle) === undefined ? "creating" : "created";
}

/** What `state` prints. */
export function formatState(bundle: Bundle): string {
  const pid = findSupervisor(bundle);
  const state = {
    ociVersion: "1.0.999",
    id: bundle.id,
    status: findStatus(bundle),
    ...pid === undefined ? {} : { pid },
    bundle: bundle.path,
  };
  return JSON.stringify(state, undefined, 2) + "\n";
}

function findText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
