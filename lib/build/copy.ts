// COPY carried out (spec dockerfile §6.3, §6.4). Files of the image are never written to: a new file
// takes the place of the old one, which other images may share.

import { displayOsString } from "../../ffi/os_string.ts";
import { SystemError } from "../../ffi/system_error.ts";
import {
  findEntry,
  listDirectory,
  openDirectory,
  openFile,
  readEntry,
  readLinkAt,
  readXattrs,
  resolveInRoot,
  type Stat,
} from "../../ffi/tree.ts";
import {
  copyFileData,
  createFile,
  finishFile,
  makeDirectories,
  makeDirectory,
  makeSymlink,
  removeFile,
  removeTree,
  renameEntry,
  setMode,
  setTime,
  setXattr,
} from "../../ffi/tree_change.ts";
import { ChError } from "../error.ts";
import type { CopyAction } from "./action.ts";

export interface CopyTarget {
  /** The image's root directory. */
  readonly rootFd: number;
  /** An empty directory on the same file system, to make files in. */
  readonly scratchFd: number;
  /** Of directories that are made on the way. */
  readonly directoryMode: number;
  /** Called now and then: lets signals come in, and throws if there was one. */
  readonly checkpoint: () => Promise<void>;
}

/** Throws a ChError; the image is then half changed, and to be thrown away. */
export async function executeCopy(copy: CopyAction, target: CopyTarget): Promise<void> {
  const { sources, destination } = copy;
  const wantsDirectory = destination.endsWith("/") || sources.length > 1 ||
    sources[0]!.stat.type === "directory";
  const found = locateDestination(destination, target);
  if (found.stat !== undefined && found.stat.type !== "directory" && wantsDirectory) {
    throw new ChError(`can’t COPY: not a directory: ${destination}`);
  }
  const isDirectory = wantsDirectory || found.stat?.type === "directory";
  makeParents(isDirectory ? found.path : parentOf(found.path), destination, target);
  for (const { given, path, stat } of sources) {
    const from = { fd: copy.tree!.fd, path, stat };
    switch (stat.type) {
      case "directory":
        await copyChildren(from, found.path, target);
        break;
      case "file":
        copyFile(from, isDirectory ? joinName(found.path, baseName(given)) : found.path, target);
        break;
      default:
        throw new ChError(`can’t COPY: unknown file type: ${displayOsString(given)}`);
    }
  }
}

interface Found {
  /** Canonical in the image. */
  readonly path: string;
  readonly stat: Stat | undefined;
}

/** Where DESTINATION leads inside the image, links followed; what is missing shall be directories. */
function locateDestination(destination: string, { rootFd }: CopyTarget): Found {
  try {
    const { path, isThere } = resolveInRoot(rootFd, destination, { missing: "allow" });
    return { path, stat: isThere ? readEntry(rootFd, path) : undefined };
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.code === "ELOOP") throw new ChError("can’t COPY: too many path components");
    if (error.code === "ENOTDIR") throw new ChError(`can’t COPY: not a directory: ${destination}`);
    throw new ChError(`can’t COPY: ${destination}`, { cause: error });
  }
}

function makeParents(path: string, destination: string, target: CopyTarget): void {
  try {
    makeDirectories(target.rootFd, path, target.directoryMode);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.code === "EEXIST" || error.code === "ENOTDIR") {
      throw new ChError(`can’t COPY: not a directory: ${destination}`);
    }
    throw new ChError(`can’t mkdir: ${displayOsString(path)}`, { cause: error });
  }
}

/** Something in the source tree. */
interface Origin {
  readonly fd: number;
  readonly path: string;
  readonly stat: Stat;
}

/** Everything in directory FROM into the existing directory TO, which itself stays as it is. */
async function copyChildren(from: Origin, to: string, target: CopyTarget): Promise<void> {
  await target.checkpoint();
  using directory = openDirectory(from.fd, from.path);
  for (const { name, ...stat } of listDirectory(directory.fd)) {
    const origin = { fd: from.fd, path: joinName(from.path, name), stat };
    await copyEntry(origin, joinName(to, name), target);
  }
}

/** One entry below the top: what has another type there gives way. */
async function copyEntry(from: Origin, to: string, target: CopyTarget): Promise<void> {
  const { rootFd } = target;
  const old = findEntry(rootFd, to);
  if (old?.type === "directory" && from.stat.type !== "directory") removeTree(rootFd, to);
  switch (from.stat.type) {
    case "directory":
      if (old !== undefined && old.type !== "directory") removeFile(rootFd, to);
      if (old?.type !== "directory") makeDirectory(rootFd, to, 0o700);
      else if ((old.mode & 0o700) !== 0o700) setMode(rootFd, to, 0o700);
      await copyChildren(from, to, target);
      copyXattrs(from, rootFd, to);
      setMode(rootFd, to, from.stat.mode);
      setTime(rootFd, to, from.stat);
      return;
    case "file":
      copyFile(from, to, target);
      return;
    case "symlink":
      if (old !== undefined && old.type !== "directory") removeFile(rootFd, to);
      makeSymlink(readLinkAt(from.fd, from.path), rootFd, to);
      setTime(rootFd, to, from.stat);
      return;
    default:
      throw new ChError(`can’t COPY: unknown file type: ${displayOsString(from.path)}`);
  }
}

const SCRATCH_NAME = "file";

/** A regular file: a copy with the same mode and time takes the place TO. */
function copyFile(from: Origin, to: string, { rootFd, scratchFd }: CopyTarget): void {
  try {
    const { size, mode } = from.stat;
    using source = openFile(from.fd, from.path);
    using copy = createFile(scratchFd, SCRATCH_NAME, 0o600);
    copyFileData(source.fd, copy.fd, size);
    copyXattrs(from, scratchFd, SCRATCH_NAME);
    finishFile(copy.fd, size, mode, from.stat);
    renameEntry(scratchFd, SCRATCH_NAME, rootFd, to);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.code === "EISDIR") {
      throw new ChError(`can’t unlink: ${displayOsString(to)}: Is a directory`);
    }
    const names = `${displayOsString(from.path)} -> ${displayOsString(to)}`;
    throw new ChError(`can’t copy: ${names}`, { cause: error });
  }
}

function copyXattrs(from: Origin, toFd: number, to: string): void {
  for (const [name, value] of readXattrs(from.fd, from.path)) {
    if (name.startsWith("user.")) setXattr(toFd, to, name, value);
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function joinName(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}
