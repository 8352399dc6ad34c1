// What a container's runtime holds in memory while the command runs: the proportional set size (PSS) of
// every process that is there because of it, but for the command.

import { rig, user, type Way } from "./measure.ts";

/** Seconds that the command lasts, and after which it is looked at. */
const LASTS = 3, LOOK_AFTER = 1.5;

/** KiB of all new processes when WAY runs, whose command must be `sleep`; undefined if it fails. */
export async function measureMemory(way: Way): Promise<number | undefined> {
  const before = new Set(listProcesses());
  const [program, ...args] = way.command[0] === "root" ? way.command.slice(1) : asUser(way.command);
  const child = new Deno.Command(program!, {
    args,
    env: {
      HOME: "/nonexistent",
      USER: user,
      PATH: `${rig}/bin:/usr/bin:/bin:/usr/sbin`,
      ...way.env,
    },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await new Promise((resolve) => setTimeout(resolve, LOOK_AFTER * 1000));
  const pids = descendants(child.pid, listProcesses().filter((pid) => !before.has(pid)));
  const sizes = pids.filter((pid) => nameOf(pid) !== "sleep").map(proportionalSize);
  const { code } = await child.status;
  return code === 0 ? sizes.reduce((sum, size) => sum + size, 0) : undefined;
}

/** Words that sleep long enough to be looked at. */
export const SLEEP: readonly string[] = ["/bin/sleep", String(LASTS)];

function asUser(command: readonly string[]): string[] {
  if (Deno.uid() !== 0) return [...command];
  return ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups", ...command];
}

function listProcesses(): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
}

/** Those of PIDS that PID started, and those that were started by the way and left to init. */
function descendants(pid: number, pids: readonly number[]): number[] {
  const family = new Set([pid, 1]);
  for (let size = 0; size !== family.size;) {
    size = family.size;
    for (const other of pids) if (family.has(parentOf(other))) family.add(other);
  }
  family.delete(1);
  return [...family];
}

function readProcess(pid: number, file: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${file}`);
  } catch {
    return ""; // it has ended
  }
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(readProcess(pid, "status"))?.[1] ?? -1);
}

function nameOf(pid: number): string {
  return readProcess(pid, "comm").trim();
}

function proportionalSize(pid: number): number {
  return Number(/^Pss:\s*(\d+)/m.exec(readProcess(pid, "smaps_rollup"))?.[1] ?? 0);
}
