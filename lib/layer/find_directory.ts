// Directories of a tree, looked up as a process would whose root the tree is.

import { SystemError } from "../../ffi/system_error.ts";
import { findEntry, resolveInRoot } from "../../ffi/tree.ts";

/** Canonical path of the directory that PATH leads to, links followed; undefined if there is none. */
export function findDirectory(rootFd: number, path: string): string | undefined {
  try {
    const { path: canonical } = resolveInRoot(rootFd, path);
    return findEntry(rootFd, canonical)?.type === "directory" ? canonical : undefined;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(error.code)) return undefined;
    throw error;
  }
}
