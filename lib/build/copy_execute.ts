// COPY and ADD carried out: what is not in a tree becomes files in a scratch directory first, archives
// are unpacked, and copy.ts does the rest.

import { displayOsString, encodeOsString } from "../../ffi/os_string.ts";
import { openRoot } from "../../ffi/tree.ts";
import { putFile, removeTree } from "../../ffi/tree_change.ts";
import { readEntry } from "../../ffi/tree.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import type { CopyAction, OtherSource } from "./action.ts";
import { isArchive, unpackArchive } from "./archive.ts";
import { type CopyOrigin, type CopyTarget, executeCopy, findCopyPlace } from "./copy.ts";
import { newExclusion } from "./exclusion.ts";
import { fetchRemote } from "./fetch.ts";
import { Ownership } from "./ownership.ts";
import type { CopySource, SourceTree } from "./source_tree.ts";

export interface CopySurroundings {
  readonly rootFd: number;
  /** A new empty directory on the image's file system; returns its path. */
  newDirectory(name: string): string;
  readonly directoryMode: number;
  readonly checkpoint: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly now: () => Date;
  readonly caller: ReadonlyMap<string, string>;
}

/** Throws a ChError; the image is then half changed, and to be thrown away. */
export async function executeCopyAction(
  copy: CopyAction,
  surroundings: CopySurroundings,
): Promise<void> {
  const path = surroundings.newDirectory("copy");
  using scratch = openRoot(path);
  try {
    const image = copy.tree?.isImage ? copy.tree.fd : undefined;
    const ownership = new Ownership(surroundings.rootFd, copy.owner, image);
    const target: CopyTarget = {
      rootFd: surroundings.rootFd,
      scratchFd: scratch.fd,
      directoryMode: surroundings.directoryMode,
      checkpoint: surroundings.checkpoint,
      onMade: (path, origin) => ownership.note(path, origin),
    };
    const local = copy.sources.map((source) => toOrigin(source, copy.tree!, copy));
    const others: CopyOrigin[] = [];
    for (const [index, other] of copy.others.entries()) {
      others.push(await makeOther(other, `other.${index}`, { path, fd: scratch.fd }, surroundings));
    }
    const unpacked = [
      ...copy.unpack.local ? local.filter(isArchive) : [],
      ...copy.unpack.remote ? others.filter(isArchive) : [],
    ];
    const rest = [...local, ...others].filter((origin) => !unpacked.includes(origin));
    for (const archive of unpacked) await unpackInto(archive, copy, target, surroundings);
    if (rest.length > 0) {
      const destination = unpacked.length > 0 ? asDirectory(copy.destination) : copy.destination;
      await executeCopy({ ...copy, destination }, rest, target);
    }
    ownership.save(surroundings.now());
  } finally {
    for (const { name } of Deno.readDirSync(path)) removeTree(scratch.fd, name);
    Deno.removeSync(path);
  }
}

function toOrigin(source: CopySource, tree: SourceTree, { exclude }: CopyAction): CopyOrigin {
  const { path, stat, given } = source;
  return { fd: tree.fd, path, stat, given, ...newExclusion(source, tree, exclude) };
}

interface ScratchDirectory {
  readonly path: string;
  readonly fd: number;
}

/** SOURCE as a file or directory of the scratch directory, in a directory NAME of its own. */
async function makeOther(
  source: OtherSource,
  name: string,
  scratch: ScratchDirectory,
  { caller, log, now, signal }: CopySurroundings,
): Promise<CopyOrigin> {
  Deno.mkdirSync(`${scratch.path}/${name}`);
  const found = source.kind === "text"
    ? putText(source, name, scratch, now())
    : await fetchRemote(source, `${scratch.path}/${name}`, { caller, log, now, signal });
  const path = found.path === "" ? name : `${name}/${found.path}`;
  return {
    fd: scratch.fd,
    path,
    stat: readEntry(scratch.fd, path),
    given: found.given,
    excludes: () => false,
    hasExceptions: false,
  };
}

function putText(
  { name: file, content }: Extract<OtherSource, { kind: "text" }>,
  name: string,
  { fd }: ScratchDirectory,
  now: Date,
) {
  const time = { mtime: Math.floor(now.getTime() / 1000), mtimeNsec: 0 };
  putFile(fd, `${name}/${file}`, encodeOsString(content), 0o644, time);
  return { path: file, given: file };
}

/** The archive's content goes into the destination, which is a directory. */
async function unpackInto(
  archive: CopyOrigin,
  copy: CopyAction,
  target: CopyTarget,
  surroundings: CopySurroundings,
): Promise<void> {
  const destination = asDirectory(copy.destination);
  const name = "unpacked";
  const path = surroundings.newDirectory(name);
  using root = openRoot(path);
  try {
    await unpackArchive(archive, root.fd, surroundings);
    findCopyPlace({ ...copy, destination, parents: false }, [], target);
    const origin = {
      fd: root.fd,
      path: "",
      stat: readEntry(root.fd, ""),
      given: "",
      excludes: (path: string) => copy.exclude?.excludes(path) === true,
      hasExceptions: copy.exclude?.hasExceptions === true,
    };
    await executeCopy({ ...copy, destination, parents: false }, [origin], target);
  } catch (error) {
    throw new ChError(`can’t unpack: ${displayOsString(archive.given)}`, { cause: error });
  } finally {
    for (const { name } of Deno.readDirSync(path)) removeTree(root.fd, name);
    Deno.removeSync(path);
  }
}

function asDirectory(destination: string): string {
  return destination.endsWith("/") ? destination : `${destination}/`;
}
