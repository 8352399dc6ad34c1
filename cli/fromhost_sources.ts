// Where ch-fromhost's list of files comes from: each option that names some, and what of the host answers it
// (spec ch-fromhost §2.1).

import { decodeOsString } from "../ffi/os_string.ts";
import { findRealPath, readBytes } from "../ffi/path.ts";
import { SystemError } from "../ffi/system_error.ts";
import { ChError } from "../lib/error.ts";
import { parseHostLibraries } from "../lib/fromhost/host_libraries.ts";
import type { HostLinker } from "../lib/fromhost/queue.ts";
import type { Log } from "../lib/log/log.ts";
import { type HostPrograms, runHostProgram } from "./host_program.ts";
import { findProgram } from "./program_search.ts";

/** Lines of what CMD prints, which is split at white space and has no shell. */
export async function listByCommand(command: string, host: HostPrograms): Promise<string[]> {
  const argv = command.split(/\s+/).filter((word) => word !== "");
  let result: Output;
  try {
    result = await runForOutput(argv, host);
  } catch (error) {
    if (!(error instanceof ChError) || host.signal.aborted) throw error;
    throw new ChError(`command failed: ${command}`, { cause: error });
  }
  if (result.status !== 0) throw new ChError(`command failed: ${command}`);
  return splitList(result.text);
}

/** Lines of FILE. */
export function listByFile(path: string): string[] {
  try {
    return splitList(decodeOsString(readBytes(path)));
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new ChError(`cannot read file: ${path}`, { cause: error });
  }
}

/** What NVIDIA's own tool says belongs to the driver. */
export async function listNvidia(host: HostPrograms, log: Log): Promise<string[]> {
  const argv = ["nvidia-container-cli", "list", "--binaries", "--libraries"];
  try {
    const { status, text } = await runForOutput(argv, host);
    if (status === 0) return splitList(text);
  } catch (error) {
    if (!(error instanceof ChError) || host.signal.aborted) throw error;
    log.warning(error.message);
  }
  throw new ChError("nvidia-container-cli failed; does this host have GPUs?");
}

/** Throws a ChError for a path that can't be one of a list. */
export function splitList(text: string): string[] {
  const paths = text.split("\n").filter((line) => line !== "");
  const wrong = paths.find((path) => path.includes(":"));
  if (wrong !== undefined) throw new ChError(`paths can't contain colon: ${wrong}`);
  return paths;
}

/** The host's ldd. */
export function openHostLinker(host: HostPrograms): HostLinker {
  return {
    realPath: findRealPath,
    async listLibraries(path) {
      const { status, text } = await runForOutput(["ldd", path], { ...host, isQuiet: true });
      return status === 0 ? parseHostLibraries(text) : [];
    },
  };
}

interface Output {
  readonly status: number;
  readonly text: string;
}

async function runForOutput(
  [name = "", ...args]: readonly string[],
  host: HostPrograms,
): Promise<Output> {
  const program = name.includes("/") ? name : findProgram(name, host.environment.get("PATH") ?? "");
  if (program === undefined || name === "") throw new ChError(`${name}: not found`);
  const chunks: Uint8Array[] = [];
  const onOutput = (chunk: Uint8Array) => Promise.resolve(void chunks.push(chunk));
  const { status } = await runHostProgram([program, ...args], { onOutput }, host);
  const bytes = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
  return { status, text: decodeOsString(bytes) };
}
