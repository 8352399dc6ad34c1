// What this machine can do for containers, and what to do about what it cannot.

import { openMemoryFile, readMemoryFile } from "../../ffi/memory_file.ts";
import { decodeOsString } from "../../ffi/os_string.ts";
import { spawnInit } from "../../ffi/process.ts";
import { makeEmptySquashfs } from "./empty_squashfs.ts";
import type { Host } from "./host.ts";
import { findMount } from "./mount_info.ts";
import { parseTrialFailure, type TrialFailure } from "./trial_failure.ts";
import { listTrials, type Trial } from "./trials.ts";

export type AbilityState =
  | { readonly state: "ok"; readonly detail?: string }
  /** Not there, which is no failing. */
  | { readonly state: "none"; readonly detail: string }
  | ({ readonly state: "missing" } & TrialFailure)
  /** Because what it rests on is missing. */
  | { readonly state: "untried" };

export type Ability = {
  readonly name: string;
  /** What needs it. */
  readonly purpose: string;
} & AbilityState;

/** Tries whether containers can be made at all. */
export async function tryNamespaces(program: string, host: Host): Promise<AbilityState> {
  return await carryOut(listTrials(program, host)[0]!);
}

/** Tries everything. PLACES are directories that images lie in, with a name for each. */
export async function listAbilities(
  program: string,
  places: Readonly<Record<string, string>>,
  host: Host,
): Promise<readonly Ability[]> {
  const abilities: Ability[] = [];
  for (const trial of listTrials(program, host)) {
    const { name, purpose } = trial;
    const isHopeless = abilities[0]?.state === "missing";
    const state = isHopeless ? { state: "untried" } as const : await carryOut(trial);
    abilities.push({ name, purpose, ...state });
  }
  for (const [name, directory] of Object.entries(places)) {
    abilities.push(judgePlace(name, directory, host));
  }
  return abilities;
}

async function carryOut(trial: Trial): Promise<AbilityState> {
  using messages = openMemoryFile("ch-checkns messages");
  using image = openMemoryFile("ch-checkns image", makeEmptySquashfs());
  const child = spawnInit(trial.plan, [image.fd, messages.fd, messages.fd]);
  const ending = await child.wait();
  if ("status" in ending && ending.status === 0) return { state: "ok" };

  const text = decodeOsString(readMemoryFile(messages));
  const failure = parseTrialFailure(text) ?? {
    reason: `container set-up ended without a message: ${text.trim() || JSON.stringify(ending)}`,
    errno: 0,
    file: "init",
    line: 0,
    remedy: undefined,
  };
  return { state: "missing", ...failure };
}

/** Whether programs of a directory image in DIRECTORY could be executed. nosuid and nodev do no harm. */
function judgePlace(name: string, directory: string, host: Host): Ability {
  const purpose = `directory images in ${directory}`;
  const mount = findMount(host.realPath(directory) ?? directory, host);
  if (!mount?.options.includes("noexec")) return { name, purpose, state: "ok" };
  return {
    name,
    purpose,
    state: "missing",
    reason: `file system ${mount.mountPoint} is mounted noexec`,
    errno: 0,
    file: "abilities.ts",
    line: 0,
    remedy: "use SquashFS images there, keep directory images elsewhere (--storage, " +
      `CH_IMAGE_STORAGE), or an administrator can "mount -o remount,exec ${mount.mountPoint}"`,
  };
}
