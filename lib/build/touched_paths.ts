// Where COPY and WORKDIR can change the tree, told before they do. Paths are canonical in the image.

import { listDirectory, openDirectory, readEntry, resolveInRoot } from "../../ffi/tree.ts";
import { SystemError } from "../../ffi/system_error.ts";
import type { Action, CopyAction } from "./action.ts";
import { isArchive } from "./archive.ts";
import { parentOfDestination } from "./rsync.ts";
import type { StageState } from "./state.ts";

/** Paths at and below which ACTION may change the tree; STATE has the action applied. */
export function listTouched(action: Action, state: StageState, rootFd: number): string[] {
  switch (action.op) {
    case "arg":
    case "configure":
    case "env":
    case "label":
    case "shell":
      return [];
    case "copy":
      return listCopyTargets(action.copy, rootFd);
    case "run":
      // The working directory is made for it; the rest is the overlay's to tell.
      return listMissing(state.cwd, rootFd);
    case "rsync":
      return listMissing(parentOfDestination(action.rsync), rootFd);
    case "workdir":
      return listMissing(action.path, rootFd);
    default:
      return action satisfies never;
  }
}

/** PATH, canonical, if there is nothing yet. */
export function listMissing(path: string, rootFd: number): string[] {
  const found = locate(path, rootFd);
  return found === undefined || found.isThere ? [] : [found.path];
}

function listCopyTargets(copy: CopyAction, rootFd: number): string[] {
  const found = locate(copy.destination, rootFd);
  // COPY itself will say what is wrong.
  if (found === undefined) return [];
  if (hasUnknownNames(copy)) return [found.path];
  const isDirectory = copy.destination.endsWith("/") || copy.sources.length > 1 ||
    (found.isThere && readEntry(rootFd, found.path).type === "directory");
  if (!found.isThere) return [found.path];
  return copy.sources.flatMap(({ given, path, stat }) => {
    if (stat.type !== "directory") {
      return [
        isDirectory ? joinPath(found.path, given.slice(given.lastIndexOf("/") + 1)) : found.path,
      ];
    }
    using directory = openDirectory(copy.tree!.fd, path);
    return listDirectory(directory.fd).map(({ name }) => joinPath(found.path, name));
  });
}

/** Archives, and what comes from elsewhere, tell only when they are there what is in them. */
function hasUnknownNames({ others, parents, sources, tree, unpack }: CopyAction): boolean {
  return parents || others.length > 0 ||
    (unpack.local && sources.some((source) => isArchive({ ...source, fd: tree!.fd })));
}

function locate(path: string, rootFd: number) {
  try {
    return resolveInRoot(rootFd, path, { missing: "allow" });
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

function joinPath(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}
