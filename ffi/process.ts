// This process as its caller started it, users and groups of the host, and the program that becomes
// the container (c/shim/process.c).

import { openLightLibrary } from "./light_library.ts";
import { decodeOsString, encodeCString } from "./os_string.ts";
import { packPlan, type Plan } from "./plan.ts";
import { PROCESS } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";

let library: ReturnType<typeof openLightLibrary<typeof PROCESS>> | undefined;
const open = () => library ??= openLightLibrary(PROCESS);

/** Descriptor of what the entry code recorded; -1 without entry code (source tree, deno compile). */
function callerDescriptor(): number {
  return Number(Deno.env.get("CH_CALLER") ?? -1);
}

/** The words of the command line, argv[0] first, byte for byte. Without entry code they are lost among
 * Deno's own: WORDS then. */
export function readArguments(words: readonly string[]): string[] {
  if (callerDescriptor() < 0) return ["ch", ...words];
  return splitStrings(Deno.readFileSync("/proc/self/cmdline"));
}

/** The caller's environment as "NAME=VALUE" in its order, byte for byte; Deno itself sees less. */
export function readEnvironment(): string[] {
  return splitStrings(Deno.readFileSync("/proc/self/environ"));
}

function splitStrings(bytes: Uint8Array): string[] {
  const strings: string[] = [];
  for (let at = 0; at < bytes.length;) {
    let end = bytes.indexOf(0, at);
    if (end < 0) end = bytes.length;
    strings.push(decodeOsString(bytes.subarray(at, end)));
    at = end + 1;
  }
  return strings;
}

export interface Identity {
  readonly ruid: number;
  readonly euid: number;
  readonly suid: number;
  readonly rgid: number;
  readonly egid: number;
  readonly sgid: number;
  /** Supplementary groups, at most 1024. */
  readonly groups: readonly number[];
}

const MAX_GROUPS = 1024;

export function readIdentity(): Identity {
  const words = new Uint32Array(7 + MAX_GROUPS);
  const error = newErrorBlock();
  checkResult(open().ch_process_identity(words, error), error);
  const [ruid, euid, suid, rgid, egid, sgid, count] = words as unknown as number[];
  return {
    ruid: ruid!,
    euid: euid!,
    suid: suid!,
    rgid: rgid!,
    egid: egid!,
    sgid: sgid!,
    groups: [...words.subarray(7, 7 + count!)],
  };
}

export interface User {
  readonly name: string;
  readonly gecos: string;
  readonly home: string;
}

/** The host's entry for UID through its name service. Throws SystemError if the look-up fails. */
export function findUser(uid: number): User | undefined {
  const fields = findFields(open().ch_process_find_user, uid);
  return fields && { name: fields[0]!, gecos: fields[1]!, home: fields[2]! };
}

/** The host's entry for GID through its name service. Throws SystemError if the look-up fails. */
export function findGroup(gid: number): { readonly name: string } | undefined {
  const fields = findFields(open().ch_process_find_group, gid);
  return fields && { name: fields[0]! };
}

function findFields(
  find: ReturnType<typeof open>["ch_process_find_user"],
  id: number,
): string[] | undefined {
  const out = new Uint8Array(8192);
  const error = newErrorBlock();
  const length = checkResult(find(id, out, out.length, error), error);
  return length === 0 ? undefined : splitStrings(out.subarray(0, length));
}

/** Path of init where the executable is not init as well. */
function initPath(): Uint8Array<ArrayBuffer> {
  if (callerDescriptor() >= 0) return encodeCString("");
  return encodeCString(new URL("../build/ch-init", import.meta.url).pathname);
}

/** This process becomes init, and init the command. Throws SystemError if that fails. */
export function replaceByInit(plan: Plan): never {
  const block = packPlan(plan);
  const error = newErrorBlock();
  checkResult(
    open().ch_process_replace(block, block.length, callerDescriptor(), initPath(), error),
    error,
  );
  throw new TypeError("execveat(2) returned without an error");
}

/** How a child ended. */
export type Ending = { readonly status: number } | { readonly signal: number };

export interface Child {
  readonly pid: number;
  wait(): Promise<Ending>;
  /** Does nothing if it has ended, of which whoever waits may not know yet. */
  kill(signal: Deno.Signal): void;
}

/** Descriptors that become the child's stdin, stdout and stderr. */
export type Stdio = readonly [number, number, number];

/** Starts init in a child. Throws SystemError if it cannot be started. */
export function spawnInit(plan: Plan, stdio: Stdio): Child {
  const block = packPlan(plan);
  const error = newErrorBlock();
  const pid = checkResult(
    open().ch_process_spawn(
      block,
      block.length,
      callerDescriptor(),
      initPath(),
      Int32Array.from(stdio),
      error,
    ),
    error,
  );
  let hasEnded = false;
  return {
    pid,
    wait: async () => {
      const ending = await waitFor(pid);
      hasEnded = true;
      return ending;
    },
    kill: (signal) => {
      if (!hasEnded) killIfThere(pid, signal);
    },
  };
}

function killIfThere(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function waitFor(pid: number): Promise<Ending> {
  const error = newErrorBlock();
  const status = checkResult(await open().ch_process_wait(pid, error), error);
  const signal = status & 0x7f;
  return signal === 0 ? { status: status >> 8 & 0xff } : { signal };
}
