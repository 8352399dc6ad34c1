// The process that stands for a container between "create" and the end of "start": Buildah wants to see one, and enters
// its network namespace. It only waits.

import { ChError } from "../lib/error.ts";
import { writeText } from "./standard_stream.ts";

/** What a supervisor does: says that it is there, then nothing, until SIGTERM. */
export async function superviseNothing(): Promise<number> {
  await new Promise<void>((resolve) => {
    const alive = setInterval(() => {}, 1 << 30);
    Deno.addSignalListener("SIGTERM", () => {
      clearInterval(alive);
      resolve();
    });
    // Buildah takes a supervisor that dies of the signal for a failed command.
    writeText(Deno.stdout, READY);
  });
  return 0;
}

const READY = "ready\n";

/** Starts one, in a session of its own and without any stream of ours; when this returns it can be stopped. */
export async function startSupervisor(): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(ownProgram(), {
    args: ["ch-run-oci", "supervise"],
    detached: true,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  if (new TextDecoder().decode(value) !== READY) {
    throw new ChError("can’t start a process to stand for the container");
  }
  await reader.cancel();
  child.unref();
  return child;
}

/** Stops a supervisor, and waits a moment for it to be gone. */
export async function stopSupervisor(pid: number): Promise<void> {
  if (!isSupervisor(pid)) return;
  Deno.kill(pid, "SIGTERM");
  for (let waited = 0; waited < 100 && isSupervisor(pid); waited++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The number may be another process's by now. */
function isSupervisor(pid: number): boolean {
  try {
    const words = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
    return words.includes("ch-run-oci") && words.includes("supervise");
  } catch {
    return false; // it is gone, or not ours
  }
}

/** This executable; in the source tree, that of build/. */
function ownProgram(): string {
  return Deno.env.get("CH_CALLER") === undefined
    ? new URL("../build/ch", import.meta.url).pathname
    : Deno.execPath();
}
