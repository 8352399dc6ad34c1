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
import { splitPath } from "../layer/member_path.ts";
import type { CopyAction } from "./action.ts";
import type { ModeChange } from "./mode.ts";

export interface CopyTarget {
  /** The image's root directory. */
  readonly rootFd: number;
  /** An empty directory on the same file system, to make files in. */
  readonly scratchFd: number;
  /** Of directories that are made on the way. */
  readonly directoryMode: number;
  /** Called now and then: lets signals come in, and throws if there was one. */
  readonly checkpoint: () => Promise<void>;
  /** Called for what was made or replaced at PATH, as a copy of ORIGIN if there is one. */
  readonly onMade?: (path: string, origin: Pick<CopyOrigin, "path" | "stat"> | undefined) => void;
}

/** Something to copy, wherever it is. */
export interface CopyOrigin {
  /** Directory that `path` is below. */
  readonly fd: number;
  readonly path: string;
  readonly stat: Stat;
  /** The name it was asked for by. */
  readonly given: string;
  /** What is left out of it; paths are relative to it. */
  readonly excludes: (path: string) => boolean;
  /** Whether something below what is left out may be let in. */
  readonly hasExceptions: boolean;
}

/** Throws a ChError; the image is then half changed, and to be thrown away. */
export async function executeCopy(
  copy: Pick<CopyAction, "keyword" | "destination" | "mode" | "parents">,
  origins: readonly CopyOrigin[],
  target: CopyTarget,
): Promise<void> {
  const place = findCopyPlace(copy, origins, target);
  const job = { ...target, change: copy.mode, keyword: copy.keyword };
  for (const origin of origins) {
    const path = copy.parents ? makeOriginParents(origin, place.path, job) : place.path;
    const { stat } = origin;
    const name = joinName(path, splitPath(origin.given)[1]);
    switch (stat.type) {
      case "directory":
        if (copy.parents) await copyEntry(origin, name, "", job, origin);
        else await copyChildren(origin, path, "", job, origin);
        break;
      case "file":
        copyFile(origin, place.isDirectory ? name : path, job);
        break;
      default:
        throw new ChError(
          `can’t ${copy.keyword}: unknown file type: ${displayOsString(origin.given)}`,
        );
    }
  }
}

export interface CopyPlace {
  /** Canonical in the image. */
  readonly path: string;
  readonly isDirectory: boolean;
}

/** Where ORIGINS go; directories on the way there are made. */
export function findCopyPlace(
  { keyword, destination, parents }: Pick<CopyAction, "keyword" | "destination" | "parents">,
  origins: readonly Pick<CopyOrigin, "stat">[],
  target: CopyTarget,
): CopyPlace {
  const wantsDirectory = parents || destination.endsWith("/") || origins.length > 1 ||
    origins[0]?.stat.type === "directory";
  const found = locateDestination(keyword, destination, target);
  if (found.stat !== undefined && found.stat.type !== "directory" && wantsDirectory) {
    throw new ChError(`can’t ${keyword}: not a directory: ${destination}`);
  }
  const isDirectory = wantsDirectory || found.stat?.type === "directory";
  makeParents(keyword, isDirectory ? found.path : splitPath(found.path)[0], destination, target);
  return { path: found.path, isDirectory };
}

/** A copy under way. */
interface Job extends CopyTarget {
  readonly change: ModeChange | undefined;
  readonly keyword: CopyAction["keyword"];
}

/** With `--parents`: the directory that ORIGIN is in, from its `/./` on, below TO. */
function makeOriginParents({ given }: CopyOrigin, to: string, job: Job): string {
  const pivot = given.indexOf("/./");
  const kept = pivot < 0 ? given : given.slice(pivot + 3);
  const directories = kept.split("/").slice(0, -1).filter((name) => name !== "" && name !== ".");
  const path = [...to === "" ? [] : [to], ...directories].join("/");
  makeParents(job.keyword, path, path, job);
  return path;
}

interface Found {
  /** Canonical in the image. */
  readonly path: string;
  readonly stat: Stat | undefined;
}

/** Where DESTINATION leads inside the image, links followed; what is missing shall be directories. */
function locateDestination(
  keyword: string,
  destination: string,
  { rootFd }: CopyTarget,
): Found {
  try {
    const { path, isThere } = resolveInRoot(rootFd, destination, { missing: "allow" });
    return { path, stat: isThere ? readEntry(rootFd, path) : undefined };
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.code === "ELOOP") {
      throw new ChError(`can’t ${keyword}: too many path components`);
    }
    if (error.code === "ENOTDIR") {
      throw new ChError(`can’t ${keyword}: not a directory: ${destination}`);
    }
    throw new ChError(`can’t ${keyword}: ${destination}`, { cause: error });
  }
}

function makeParents(
  keyword: string,
  path: string,
  destination: string,
  target: CopyTarget,
): void {
  try {
    const missing = listMissing(path, target);
    makeDirectories(target.rootFd, path, target.directoryMode);
    for (const made of missing) target.onMade?.(made, undefined);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.code === "EEXIST" || error.code === "ENOTDIR") {
      throw new ChError(`can’t ${keyword}: not a directory: ${destination}`);
    }
    throw new ChError(`can’t mkdir: ${displayOsString(path)}`, { cause: error });
  }
}

/** PATH, and what it is below, as far as there is nothing. */
function listMissing(path: string, { rootFd, onMade }: CopyTarget): string[] {
  if (onMade === undefined) return [];
  const names = path.split("/").filter((name) => name !== "");
  const paths = names.map((_, index) => names.slice(0, index + 1).join("/"));
  const first = paths.findIndex((each) => findEntry(rootFd, each) === undefined);
  return first < 0 ? [] : paths.slice(first);
}

/** Something in the source tree. */
interface Origin {
  readonly fd: number;
  readonly path: string;
  readonly stat: Stat;
}

/**
 * Everything in directory FROM, which is WITHIN the origin, into the existing directory TO, which itself
 * stays as it is.
 */
async function copyChildren(
  from: Origin,
  to: string,
  within: string,
  job: Job,
  origin: CopyOrigin,
): Promise<void> {
  await job.checkpoint();
  using directory = openDirectory(from.fd, from.path);
  for (const { name, ...stat } of listDirectory(directory.fd)) {
    const child = { fd: from.fd, path: joinName(from.path, name), stat };
    const path = joinName(within, name);
    if (origin.excludes(path) && !(stat.type === "directory" && hasKept(child, path, origin))) {
      continue;
    }
    await copyEntry(child, joinName(to, name), path, job, origin);
  }
}

/** Is there something in directory FROM, which is left out, that is let in again? */
function hasKept(from: Origin, within: string, origin: CopyOrigin): boolean {
  if (!origin.hasExceptions) return false;
  using directory = openDirectory(from.fd, from.path);
  return listDirectory(directory.fd).some(({ name, ...stat }) => {
    const path = joinName(within, name);
    const child = { fd: from.fd, path: joinName(from.path, name), stat };
    return !origin.excludes(path) || (stat.type === "directory" && hasKept(child, path, origin));
  });
}

/** One entry below the top: what has another type there gives way. */
async function copyEntry(
  from: Origin,
  to: string,
  within: string,
  job: Job,
  origin: CopyOrigin,
): Promise<void> {
  const { rootFd, change } = job;
  const old = findEntry(rootFd, to);
  if (old?.type === "directory" && from.stat.type !== "directory") removeTree(rootFd, to);
  switch (from.stat.type) {
    case "directory":
      if (old !== undefined && old.type !== "directory") removeFile(rootFd, to);
      if (old?.type !== "directory") makeDirectory(rootFd, to, 0o700);
      else if ((old.mode & 0o700) !== 0o700) setMode(rootFd, to, 0o700);
      await copyChildren(from, to, within, job, origin);
      copyXattrs(from, rootFd, to);
      setMode(rootFd, to, change?.(from.stat.mode, true) ?? from.stat.mode);
      setTime(rootFd, to, from.stat);
      job.onMade?.(to, from);
      return;
    case "file":
      copyFile(from, to, job);
      return;
    case "symlink":
      if (old !== undefined && old.type !== "directory") removeFile(rootFd, to);
      makeSymlink(readLinkAt(from.fd, from.path), rootFd, to);
      setTime(rootFd, to, from.stat);
      job.onMade?.(to, from);
      return;
    default:
      throw new ChError(
        `can’t ${job.keyword}: unknown file type: ${displayOsString(from.path)}`,
      );
  }
}

const SCRATCH_NAME = "file";

/** A regular file: a copy with the same mode and time takes the place TO. */
function copyFile(from: Origin, to: string, job: Job): void {
  const { rootFd, scratchFd, change } = job;
  try {
    const { size, mode } = from.stat;
    using source = openFile(from.fd, from.path);
    using copy = createFile(scratchFd, SCRATCH_NAME, 0o600);
    copyFileData(source.fd, copy.fd, size);
    copyXattrs(from, scratchFd, SCRATCH_NAME);
    finishFile(copy.fd, size, change?.(mode, false) ?? mode, from.stat);
    renameEntry(scratchFd, SCRATCH_NAME, rootFd, to);
    job.onMade?.(to, from);
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

function joinName(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}
