// The plan that c/init carries out: its steps as types, and their packing into the block that
// c/init/plan.h describes. All strings are OsStrings (ffi/os_string.ts).

import { encodeCString } from "./os_string.ts";

/** What to do where a bind's target (or, for "skip", its source) does not exist. */
export type WhenMissing = "fail" | "skip" | "make" | "make-file";

/** One primitive step. Order matters; c/init/plan.h says what each does. */
export type Step =
  /** Print TEXT as a message of the program's, without a label. */
  | { readonly op: "log"; readonly text: string }
  /** New user namespace with one uid and one gid mapped; with MOUNTS a mount namespace as well. */
  | {
    readonly op: "user_namespace";
    readonly insideUid: number;
    readonly outsideUid: number;
    readonly insideGid: number;
    readonly outsideGid: number;
    readonly mounts: boolean;
    /** A network namespace as well, in which there is nothing but the loopback device. */
    readonly noNetwork?: boolean;
  }
  /** Serve the SquashFS file IMAGE, make a mount namespace, mount it at MOUNTPOINT. */
  | { readonly op: "squashfs"; readonly image: string; readonly mountPoint: string }
  /** Cover host directory ON with a private tmpfs to assemble the container in. Sources of later steps
   * are opened first, so nothing below ON is lost. */
  | { readonly op: "scratch"; readonly on: string }
  /** The image directory (or mounted SquashFS) that becomes the container's root. */
  | { readonly op: "root"; readonly image: string; readonly readOnly: boolean }
  /** Overlay on the root so far: what is written goes to a tmpfs of SIZE, or to UPPER on disk. */
  | { readonly op: "overlay"; readonly size: string; readonly needXattrs?: true }
  | { readonly op: "overlay"; readonly upper: string; readonly work: string }
  /** The same to directories `upper` and `work` of DIRECTORY, made if missing; they stay. */
  | { readonly op: "overlay"; readonly directory: string }
  /** Bind host SOURCE, recursively, at TARGET of the container. */
  | {
    readonly op: "bind";
    readonly source: string;
    readonly target: string;
    readonly missing: WhenMissing;
    /** Make the target even where the caller may not write; needs an overlay. */
    readonly ranch: boolean;
    readonly readOnly?: boolean;
  }
  /** Bind a fresh private file at TARGET, which must exist. NAME is for messages. */
  | {
    readonly op: "file";
    readonly name: string;
    readonly target: string;
    readonly content: Uint8Array;
    readonly mode: number;
  }
  | { readonly op: "tmpfs"; readonly target: string; readonly options: string }
  | { readonly op: "pivot" }
  /** PROGRAM: struct sock_filter[], 8 bytes each. */
  | { readonly op: "seccomp"; readonly program: Uint8Array }
  | { readonly op: "chdir"; readonly path: string }
  | { readonly op: "no_new_privs" }
  | { readonly op: "silence"; readonly stdout: boolean; readonly stderr: boolean }
  /** Make the host directory PATH, its parents being there, unless it exists. */
  | { readonly op: "directory"; readonly path: string; readonly mode: number }
  /** Lock FILE for as long as the container's root is mounted, or fail saying that NAME is in use. An
   * empty file gets CONTENT. Comes before the namespaces. */
  | {
    readonly op: "hold";
    readonly file: string;
    readonly content: Uint8Array;
    readonly name: string;
  }
  /** Build the container of peer group TAG in the steps up to "join_finish", or, if a peer has, enter
   * that and leave them out. COUNT peers are expected. Comes before the namespaces. */
  | { readonly op: "join_begin"; readonly tag: string; readonly count: number }
  | { readonly op: "join_finish" }
  /** Enter the namespaces of process PID. */
  | { readonly op: "join_pid"; readonly pid: number }
  /** Run a program of the container, ARGV[0] being its path there, to its end. */
  | { readonly op: "run"; readonly argv: readonly string[]; readonly env: readonly string[] }
  /** Fork; the parent watches over the rest of the plan: when the command ends, or the process that
   * started init dies, everything it left running is killed. First step, for builds. */
  | { readonly op: "supervise" }
  /** SEARCH: value of PATH to find argv[0] with. The caller's signals, limits and stdio flags are
   * restored just before. */
  | {
    readonly op: "exec";
    readonly argv: readonly string[];
    readonly env: readonly string[];
    readonly search: string;
  };

export interface Plan {
  /** Name before [PID] in messages. */
  readonly program: string;
  /** How messages name the new root, e.g. the image directory's path. */
  readonly image: string;
  readonly verbosity: number;
  /** Warnings so far, as printed; printed again when a step fails. */
  readonly warnings: string;
  readonly statusFail: number;
  readonly statusExec: number;
  readonly steps: readonly Step[];
}

const MAGIC = 0x6e616c50;
const VERSION = 1;
const HEADER_SIZE = 48;
const STEP_SIZE = 64;

const F_MOUNTS = 1 << 0, F_READ_ONLY = 1 << 1, F_SKIP = 1 << 2, F_MAKE = 1 << 3, F_RANCH = 1 << 4;
const F_STDOUT = 1 << 5, F_STDERR = 1 << 6, F_XATTRS = 1 << 7;
const F_NO_NETWORK = 1 << 8, F_FILE = 1 << 9;

const WHEN_MISSING = { fail: 0, skip: F_SKIP, make: F_MAKE, "make-file": F_MAKE | F_FILE } as const;

/** Strings, lists and blobs at the end of the block. */
class Pool {
  readonly #parts: Uint8Array[] = [new Uint8Array(1)];
  length = 1;

  add(bytes: Uint8Array): number {
    const at = this.length;
    this.#parts.push(bytes);
    this.length += bytes.length;
    return at;
  }

  string(text: string): number {
    return this.add(encodeCString(text));
  }

  list(texts: readonly string[]): number {
    const at = this.length;
    for (const text of texts) this.string(text);
    return at;
  }

  /** Aligned, because C reads it as structures. */
  blob(bytes: Uint8Array): number {
    this.add(new Uint8Array((8 - this.length % 8) % 8));
    return this.add(bytes);
  }

  copyTo(target: Uint8Array): void {
    let at = 0;
    for (const part of this.#parts) {
      target.set(part, at);
      at += part.length;
    }
  }
}

interface Record {
  readonly op: number;
  readonly flags?: number;
  readonly s?: readonly number[];
  readonly n?: readonly number[];
}

/** The block of bytes that init reads. Throws a TypeError if a string holds a NUL. */
export function packPlan(plan: Plan): Uint8Array<ArrayBuffer> {
  const pool = new Pool();
  const records = plan.steps.map((step) => packStep(step, pool));
  const program = pool.string(plan.program);
  const image = pool.string(plan.image);
  const warnings = plan.warnings === "" ? 0 : pool.string(plan.warnings);

  const poolAt = HEADER_SIZE + records.length * STEP_SIZE;
  const block = new Uint8Array(poolAt + pool.length);
  const view = new DataView(block.buffer);
  [
    MAGIC,
    VERSION,
    records.length,
    poolAt,
    pool.length,
    program,
    warnings,
    plan.verbosity,
    plan.statusFail,
    plan.statusExec,
    image,
    0,
  ].forEach((value, index) => view.setInt32(index * 4, value, true));

  records.forEach((record, index) => {
    const at = HEADER_SIZE + index * STEP_SIZE;
    view.setUint32(at, record.op, true);
    view.setUint32(at + 4, record.flags ?? 0, true);
    record.s?.forEach((value, k) => view.setUint32(at + 8 + k * 4, value, true));
    record.n?.forEach((value, k) => view.setBigUint64(at + 32 + k * 8, BigInt(value), true));
  });
  pool.copyTo(block.subarray(poolAt));
  return block;
}

function packStep(step: Step, pool: Pool): Record {
  switch (step.op) {
    case "log":
      return { op: 1, s: [pool.string(step.text)] };
    case "user_namespace":
      return {
        op: 2,
        flags: (step.mounts ? F_MOUNTS : 0) | (step.noNetwork ? F_NO_NETWORK : 0),
        n: [step.insideUid, step.outsideUid, step.insideGid, step.outsideGid],
      };
    case "squashfs":
      return { op: 3, s: [pool.string(step.image), pool.string(step.mountPoint)] };
    case "scratch":
      return { op: 4, s: [pool.string(step.on)] };
    case "root":
      return { op: 5, flags: step.readOnly ? F_READ_ONLY : 0, s: [pool.string(step.image)] };
    case "overlay":
      return packOverlay(step, pool);
    case "bind":
      return {
        op: 7,
        flags: WHEN_MISSING[step.missing] |
          (step.ranch ? F_RANCH : 0) | (step.readOnly ? F_READ_ONLY : 0),
        s: [pool.string(step.source), pool.string(step.target)],
      };
    case "file":
      return {
        op: 8,
        s: [pool.string(step.name), pool.string(step.target), pool.blob(step.content)],
        n: [step.content.length, step.mode],
      };
    case "tmpfs":
      return { op: 9, s: [pool.string(step.target), pool.string(step.options)] };
    case "pivot":
      return { op: 10 };
    case "seccomp":
      return { op: 11, s: [pool.blob(step.program)], n: [step.program.length] };
    case "chdir":
      return { op: 12, s: [pool.string(step.path)] };
    case "no_new_privs":
      return { op: 13 };
    case "silence":
      return { op: 14, flags: (step.stdout ? F_STDOUT : 0) | (step.stderr ? F_STDERR : 0) };
    case "supervise":
      return { op: 15 };
    case "exec":
      return {
        op: 16,
        s: [pool.list(step.argv), pool.list(step.env), pool.string(step.search)],
        n: [step.argv.length, step.env.length],
      };
    case "directory":
      return { op: 17, s: [pool.string(step.path)], n: [step.mode] };
    case "hold":
      return {
        op: 18,
        s: [pool.string(step.file), pool.blob(step.content), pool.string(step.name)],
        n: [step.content.length],
      };
    case "join_begin":
      return { op: 19, s: [pool.string(step.tag)], n: [step.count] };
    case "join_finish":
      return { op: 20 };
    case "join_pid":
      return { op: 21, n: [step.pid] };
    case "run":
      return {
        op: 22,
        s: [pool.list(step.argv), pool.list(step.env)],
        n: [step.argv.length, step.env.length],
      };
    default:
      return step satisfies never;
  }
}

function packOverlay(step: Step & { op: "overlay" }, pool: Pool): Record {
  if ("size" in step) {
    return { op: 6, flags: step.needXattrs ? F_XATTRS : 0, s: [0, 0, pool.string(step.size)] };
  }
  if ("directory" in step) return { op: 6, s: [0, 0, 0, pool.string(step.directory)] };
  return { op: 6, s: [pool.string(step.upper), pool.string(step.work)] };
}
