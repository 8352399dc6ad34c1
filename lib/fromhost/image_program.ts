// Running a program of the image in a container of it, and taking what it prints.

import { openMemoryFile, readMemoryFile } from "../../ffi/memory_file.ts";
import { openNullDevice } from "../../ffi/null_device.ts";
import { decodeOsString } from "../../ffi/os_string.ts";
import type { Child, Stdio } from "../../ffi/process.ts";
import type { Plan } from "../../ffi/plan.ts";
import { planBuildRun } from "../container/build_plan.ts";
import type { Host } from "../container/host.ts";

export interface ImagePrograms {
  readonly host: Host;
  readonly spawn: (plan: Plan, stdio: Stdio) => Child;
  readonly signal: AbortSignal;
}

export interface ProgramOutcome {
  readonly isSuccess: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Throws the signal's reason if that is aborted meanwhile. */
export async function runInImage(
  imageDir: string,
  argv: readonly string[],
  access: "read-only" | "in-place",
  { host, spawn, signal }: ImagePrograms,
): Promise<ProgramOutcome> {
  signal.throwIfAborted();
  const plan = planBuildRun(
    {
      imageDir,
      changes: access,
      argv,
      environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      cwd: "/",
      binds: [],
      mounts: [],
      noNetwork: false,
      seccomp: false,
      program: "ch-run",
      verbosity: 0,
    },
    host,
  );
  using nothing = openNullDevice();
  using out = openMemoryFile("ch-fromhost output");
  using err = openMemoryFile("ch-fromhost messages");
  const child = spawn(plan, [nothing.fd, out.fd, err.fd]);
  const kill = () => child.kill("SIGTERM");
  signal.addEventListener("abort", kill);
  try {
    const ending = await child.wait();
    signal.throwIfAborted();
    return {
      isSuccess: "status" in ending && ending.status === 0,
      stdout: decodeOsString(readMemoryFile(out)),
      stderr: decodeOsString(readMemoryFile(err)),
    };
  } finally {
    signal.removeEventListener("abort", kill);
  }
}
