// Running programs of the host: docker, podman, sudo.

import { ChError } from "../lib/error.ts";
import type { ProgramOptions, ProgramResult } from "../lib/convert/builder.ts";

export interface HostPrograms {
  /** All of the environment that programs get. */
  readonly environment: ReadonlyMap<string, string>;
  /** Whether what they say on standard error is kept from the user. */
  readonly isQuiet: boolean;
  readonly signal: AbortSignal;
}

/** Runs COMMAND to its end; ended early if the signal is aborted, which then throws its reason. */
export async function runHostProgram(
  [program, ...args]: readonly string[],
  { input, onOutput, isQuiet = false }: ProgramOptions,
  host: HostPrograms,
): Promise<ProgramResult> {
  host.signal.throwIfAborted();
  const child = spawn(program!, args, input !== undefined, isQuiet || host.isQuiet, host);
  const stop = () => child.kill("SIGTERM");
  host.signal.addEventListener("abort", stop);
  try {
    const [, output] = await Promise.all([
      input === undefined ? undefined : feed(child, input),
      take(child, onOutput),
    ]);
    const { code } = await child.status;
    host.signal.throwIfAborted();
    return { status: code, output };
  } catch (error) {
    stopQuietly(child);
    await child.status;
    throw error;
  } finally {
    host.signal.removeEventListener("abort", stop);
  }
}

function spawn(
  program: string,
  args: readonly string[],
  hasInput: boolean,
  isQuiet: boolean,
  { environment }: HostPrograms,
): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [...args],
      clearEnv: true,
      env: Object.fromEntries(environment),
      stdin: hasInput ? "piped" : "null",
      stdout: "piped",
      stderr: isQuiet ? "null" : "inherit",
    }).spawn();
  } catch (error) {
    throw new ChError(`can’t run: ${program}`, { cause: error });
  }
}

async function feed(child: Deno.ChildProcess, input: AsyncIterable<Uint8Array>): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    for await (const chunk of input) await writer.write(chunk as Uint8Array<ArrayBuffer>);
    await writer.close();
  } catch (error) {
    // It has ended without reading all: its status tells why.
    if (error instanceof Deno.errors.BrokenPipe) return;
    throw error;
  }
}

async function take(
  child: Deno.ChildProcess,
  onOutput: ((chunk: Uint8Array) => Promise<void>) | undefined,
): Promise<string> {
  if (onOutput === undefined) return await new Response(child.stdout).text();
  for await (const chunk of child.stdout) await onOutput(chunk);
  return "";
}

/** It may have ended by itself. */
function stopQuietly(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}
