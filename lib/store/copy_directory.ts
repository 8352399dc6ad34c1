// A host directory becomes an image: a copy, never links, whose files are safe from what happens to
// the directory later.

import { listDirectory, openDirectory, openRoot } from "../../ffi/tree.ts";
import { removeTree } from "../../ffi/tree_change.ts";
import { copyTree, type TreeCounts } from "../../ffi/tree_whole.ts";
import { displayOsString } from "../../ffi/os_string.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";

export interface CopyOptions {
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

/** How often a copy that is to stop loses what it has made, until it notices. */
const PAUSE = 50;

/**
 * Copies the directory PATH into the empty directory ROOT_FD. Devices are left out with a warning.
 * Throws a ChError for FIFOs and sockets, and if anything can't be copied.
 */
export async function copyDirectory(
  path: string,
  rootFd: number,
  { log, signal }: CopyOptions,
): Promise<void> {
  using source = openRoot(path);
  const counts = await copyStoppable(source.fd, rootFd, path, signal);
  if (counts.skippedFifos + counts.skippedSockets > 0) {
    const { path: name, type } = findSpecial(source.fd, "")!;
    throw new ChError(`can’t copy data: ${path}: ${displayOsString(name)}: is a ${type}`);
  }
  if (counts.skippedDevices > 0) {
    log.warning(`ignored ${counts.skippedDevices} devices and/or FIFOs`);
  }
}

/** The copy is made off this thread; what stops it is that its directories vanish. */
async function copyStoppable(
  fromFd: number,
  rootFd: number,
  path: string,
  signal: AbortSignal | undefined,
): Promise<TreeCounts> {
  let timer: ReturnType<typeof setInterval> | undefined;
  const stop = () => {
    emptyDirectory(rootFd);
    timer = setInterval(() => emptyDirectory(rootFd), PAUSE);
  };
  signal?.addEventListener("abort", stop);
  try {
    return await copyTree(fromFd, rootFd, {
      skip: ["devices", "fifos", "sockets"],
      openDirectories: true,
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw new ChError(`can’t copy data: ${path}`, { cause: error });
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", stop);
  }
}

function emptyDirectory(fd: number): void {
  try {
    for (const { name } of listDirectory(fd)) removeTree(fd, name);
  } catch {
    // The copy is still at it: next time.
  }
}

interface Special {
  readonly path: string;
  readonly type: "FIFO" | "socket";
}

function findSpecial(dirFd: number, path: string): Special | undefined {
  for (const { name, type } of listDirectory(dirFd)) {
    const below = path === "" ? name : `${path}/${name}`;
    if (type === "fifo") return { path: below, type: "FIFO" };
    if (type === "socket") return { path: below, type };
    if (type !== "directory") continue;
    using directory = openDirectory(dirFd, name);
    const found = findSpecial(directory.fd, below);
    if (found !== undefined) return found;
  }
  return undefined;
}
