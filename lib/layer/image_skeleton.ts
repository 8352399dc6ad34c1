// What every image must have so that it can be run: mount points, and Charliecloud's own directory.

import { findEntry } from "../../ffi/tree.ts";
import { makeDirectory, putFile } from "../../ffi/tree_change.ts";
import type { Entry, Source } from "./entry.ts";
import { splitPath } from "./member_path.ts";

export interface Skeleton {
  /** Parents first. */
  readonly directories: readonly string[];
  /** Empty ones. */
  readonly files: readonly string[];
}

/** What ch-run binds things to by default (spec ch-convert §7.7). */
export const MOUNT_POINTS: Skeleton = {
  directories: [
    ...["bin", "dev", "etc", "mnt", "proc", "sys", "tmp", "usr"],
    ...Array.from({ length: 10 }, (_, digit) => `mnt/${digit}`),
  ],
  files: ["etc/hosts", "etc/resolv.conf"],
};

/** An image in storage (spec ch-image §7.1). */
export const IMAGE_SKELETON: Skeleton = {
  directories: [...MOUNT_POINTS.directories, "ch"],
  files: ["ch/environment", ...MOUNT_POINTS.files],
};

/**
 * Makes what is missing. Anything of that name will do, also a dangling link; below something that is no
 * directory nothing is made.
 */
export function makeSkeleton(rootFd: number, skeleton: Skeleton): void {
  const now = { mtime: Math.floor(Date.now() / 1000), mtimeNsec: 0 };
  for (const path of skeleton.directories) {
    if (isMissing(rootFd, path)) makeDirectory(rootFd, path, 0o755);
  }
  for (const path of skeleton.files) {
    if (isMissing(rootFd, path)) putFile(rootFd, path, new Uint8Array(), 0o644, now);
  }
}

/** As {@linkcode makeSkeleton} for an image that goes by, e.g. into an archive: missing things come last. */
export async function* addSkeleton(source: Source, skeleton: Skeleton): Source {
  const wanted = new Set([...skeleton.directories, ...skeleton.files]);
  const found = new Map<string, Entry["type"]>();
  for await (const entry of source) {
    if (wanted.has(entry.path)) found.set(entry.path, entry.type);
    yield entry;
  }
  yield* missingEntries((path) => found.get(path), skeleton);
}

/** Entries for what is missing, if FIND tells what there is. */
export function* missingEntries(
  find: (path: string) => Entry["type"] | undefined,
  skeleton: Skeleton,
): Generator<Entry> {
  const common = { uid: 0, gid: 0, mtime: 0, mtimeNsec: 0 };
  const made = new Set<string>();
  const isMissingHere = (path: string) => {
    const [parent] = splitPath(path);
    if (made.has(parent)) return true;
    return (parent === "" || find(parent) === "directory") && find(path) === undefined;
  };
  for (const path of skeleton.directories) {
    if (!isMissingHere(path)) continue;
    yield { ...common, path, type: "directory", mode: 0o755 };
    made.add(path);
  }
  for (const path of skeleton.files.filter(isMissingHere)) {
    const content = { chunks: noChunks() };
    yield { ...common, path, type: "file", mode: 0o644, size: 0, content };
  }
}

function isMissing(rootFd: number, path: string): boolean {
  const [parent] = splitPath(path);
  if (parent !== "" && findEntry(rootFd, parent)?.type !== "directory") return false;
  return findEntry(rootFd, path) === undefined;
}

async function* noChunks(): AsyncGenerator<Uint8Array> {}
