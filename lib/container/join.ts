// Which container a run shares with others (spec ch-run §7): the one that peers of its group build, or
// the one of a process.

import { encodeOsString } from "../../ffi/os_string.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";
import { orFail } from "./failure.ts";
import type { Host } from "./host.ts";
import { parseInteger } from "./integer.ts";
import { countTasks, nameStep } from "./slurm.ts";
import { findVariable } from "./variables.ts";

export interface PeerGroup {
  readonly kind: "group";
  readonly tag: string;
  /** Peers expected, this one included. */
  readonly count: number;
}

export type Join = PeerGroup | { readonly kind: "process"; readonly pid: number };

export interface GroupRequest {
  /** `--join-ct`; 0 if not given. */
  readonly count: number;
  /** `--join-tag`. */
  readonly tag: string | undefined;
}

const TASKS_VARIABLE = "SLURM_STEP_TASKS_PER_NODE";
/**
 * The first that is set has the number of processes that the launcher starts on this node. Those of
 * Open MPI's and MPICH's mpirun (Hydra) are first, because they may run below Slurm.
 */
const COUNT_VARIABLES = [
  "OMPI_COMM_WORLD_LOCAL_SIZE",
  "MPI_LOCALNRANKS",
  TASKS_VARIABLE,
  "SLURM_CPUS_ON_NODE",
];
/** With "sem.ch-run_sem-" before it, it is a file's name. */
const TAG_MAX = 240;

/** The group asked for. NOTE is told what `-v` shows. Throws ChError if it is no sensible one. */
export function findPeerGroup(
  request: GroupRequest,
  host: Host,
  note: (text: string) => void,
): PeerGroup {
  const count = findCount(request, host, note);
  if (count <= 0) throw new ChError("join: no valid peer group size found", { hint: COUNT_HINT });
  const tag = findTag(request, host, note);
  if (tag === "") throw new ChError("join: peer group tag cannot be empty string");
  if (tag.includes("/") || encodeOsString(tag).length > TAG_MAX) {
    throw new ChError(`join: peer group tag cannot be part of a file name: ${tag}`, {
      cause: new SystemError("open", tag, EINVAL, "join.ts", 0),
    });
  }
  return { kind: "group", tag, count };
}

const COUNT_HINT = "say how many processes share the container: --join-ct=N";
const EINVAL = 22;

function findCount(request: GroupRequest, host: Host, note: (text: string) => void): number {
  if (request.count !== 0) {
    note("join: peer group size from command line");
    return request.count;
  }
  for (const name of COUNT_VARIABLES) {
    const value = findVariable(host.environment, name);
    if (value === undefined) continue;
    note(`join: peer group size from ${name}`);
    if (name !== TASKS_VARIABLE) return parseInteger(name, value, "ignored");
    return countTasks(name, value, findVariable(host.environment, "SLURM_NODEID"));
  }
  return 0;
}

function findTag(request: GroupRequest, host: Host, note: (text: string) => void): string {
  const value = request.tag ?? nameStep(host.environment);
  if (request.tag !== undefined) note("join: peer group tag from command line");
  else if (value !== undefined) note("join: peer group tag from SLURM_STEP_ID");
  else note("join: peer group tag from getppid(2)");
  return value ?? String(host.parent);
}

/** The root directory that process PID sees. Throws ChError if its container cannot be entered. */
export function findProcessRoot(pid: number, host: Host): string {
  const path = `/proc/${pid}/ns/user`;
  orFail(
    `join: can't open ${path}`,
    () => {
      if (host.stat(path) === undefined) {
        throw new ChError(`join: no PID ${pid}: ${path} not found`);
      }
    },
  );
  return `/proc/${pid}/root`;
}
