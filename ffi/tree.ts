// Looking at image trees. Paths are OsStrings relative to a directory's descriptor; no component is
// followed if it is a symbolic link, and ".." is refused, so nothing outside the tree is ever reached
// (c/api/tree.h). All throw SystemError. Changing trees: tree_change.ts, tree_whole.ts.

import { Descriptor, treeLibrary } from "./descriptor.ts";
import { decodeOsString, encodeCString } from "./os_string.ts";
import { checkResult, newErrorBlock, readSystemError } from "./system_error.ts";
import type { SystemError } from "./system_error.ts";

export type FileType = "directory" | "file" | "symlink" | "fifo" | "socket" | "char" | "block";

/** What lstat(2) tells. */
export interface Stat {
  readonly type: FileType;
  /** Permission bits, 0o7777. */
  readonly mode: number;
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly mtimeNsec: number;
  readonly ctime: number;
  readonly ctimeNsec: number;
  readonly nlink: number;
  readonly dev: bigint;
  readonly ino: bigint;
  /** Of a device. */
  readonly major: number;
  readonly minor: number;
}

export interface DirectoryEntry extends Stat {
  readonly name: string;
}

/** Opens a directory by a path of the host's, links followed. */
export function openRoot(path: string): Descriptor {
  return new Descriptor(
    checkResult(treeLibrary().ch_tree_open_root(encodeCString(path), block), block),
  );
}

/** "" opens the directory itself once more. */
export function openDirectory(dirFd: number, path: string): Descriptor {
  const result = treeLibrary().ch_tree_open_directory(dirFd, encodeCString(path), block);
  return new Descriptor(checkResult(result, block));
}

/** For reading, and only if it is a regular file: devices and FIFOs are not even touched. */
export function openFile(dirFd: number, path: string): FileDescriptor {
  const result = treeLibrary().ch_tree_open_file(dirFd, encodeCString(path), sizeBlock, block);
  return new FileDescriptor(checkResult(result, block), Number(sizeBlock[0]));
}

/** A regular file. */
export class FileDescriptor extends Descriptor {
  constructor(
    fd: number,
    /** In bytes, when it was opened. */
    readonly size: number,
  ) {
    super(fd);
  }
}

/** What is in a directory, sorted by the bytes of the names, without "." and "..". */
export function listDirectory(dirFd: number): DirectoryEntry[] {
  const filled = new BigUint64Array(2);
  for (let buffer = (listing ??= new Uint8Array(FIRST_LISTING));;) {
    const capacity = buffer.length;
    checkResult(treeLibrary().ch_tree_list(dirFd, buffer, capacity, toBytes(filled), block), block);
    // The directory can grow between two attempts.
    if (filled[1]! <= capacity) return unpackListing(buffer, Number(filled[0]));
    buffer = new Uint8Array(Number(filled[1]));
  }
}

/** Of PATH itself, also if it is a link; undefined if there is nothing. */
export function findEntry(dirFd: number, path: string): Stat | undefined {
  const buffer = new Uint8Array(STAT_SIZE);
  const result = treeLibrary().ch_tree_stat(dirFd, encodeCString(path), buffer, block);
  if (result >= 0) return unpackStat(new DataView(buffer.buffer), 0);
  const error = readSystemError(result, block);
  if (isAbsence(error)) return undefined;
  throw error;
}

/** As {@linkcode findEntry}, for what must be there. */
export function readEntry(dirFd: number, path: string): Stat {
  const buffer = new Uint8Array(STAT_SIZE);
  checkResult(treeLibrary().ch_tree_stat(dirFd, encodeCString(path), buffer, block), block);
  return unpackStat(new DataView(buffer.buffer), 0);
}

/** Target of a symbolic link. */
export function readLinkAt(dirFd: number, path: string): string {
  const buffer = new Uint8Array(PATH_MAX);
  const length = checkResult(
    treeLibrary().ch_tree_readlink(dirFd, encodeCString(path), buffer, buffer.length, block),
    block,
  );
  return decodeOsString(buffer.subarray(0, length));
}

/** All extended attributes one may read, of any name space. A symbolic link has none. */
export function readXattrs(dirFd: number, path: string): Map<string, Uint8Array> {
  const name = encodeCString(path);
  const filled = new BigUint64Array(2);
  for (let capacity = FIRST_XATTRS;; capacity = Number(filled[1])) {
    const buffer = new Uint8Array(capacity);
    checkResult(
      treeLibrary().ch_tree_get_xattrs(dirFd, name, buffer, capacity, toBytes(filled), block),
      block,
    );
    if (filled[1]! <= capacity) return unpackXattrs(buffer, Number(filled[0]));
  }
}

export interface Resolution {
  /** Canonical, relative to the root, "" for the root itself: no links but perhaps the last component. */
  readonly path: string;
  readonly isThere: boolean;
  /** The part of `path` that exists. */
  readonly present: string;
}

export interface ResolveOptions {
  /** A link as the last component: go where it points (the default), or stop at it. */
  readonly last?: "follow" | "keep";
  /** What is missing: ENOENT (the default), or taken for directories still to be made. */
  readonly missing?: "fail" | "allow";
}

/**
 * Where PATH leads for a process whose root is the tree: absolute or not, links are followed and
 * absolute targets begin at the tree's root, ".." stops there. ELOOP after 40 links.
 */
export function resolveInRoot(
  rootFd: number,
  path: string,
  { last = "follow", missing = "fail" }: ResolveOptions = {},
): Resolution {
  const flags = (last === "follow" ? 1 : 0) | (missing === "allow" ? 2 : 0);
  const name = encodeCString(path);
  const filled = new BigUint64Array(2);
  for (let capacity = PATH_MAX;; capacity = Number(filled[1])) {
    const buffer = new Uint8Array(capacity);
    const result = checkResult(
      treeLibrary().ch_tree_resolve(rootFd, name, flags, buffer, capacity, toBytes(filled), block),
      block,
    );
    if (filled[1]! > capacity) continue;
    return {
      path: decodeOsString(buffer.subarray(0, Number(filled[1]))),
      isThere: result === 0,
      present: decodeOsString(buffer.subarray(0, Number(filled[0]))),
    };
  }
}

/** One for all calls, which are made in turn: what it says is read before the next. */
const block = newErrorBlock();
const sizeBlock = new BigUint64Array(1);
/** Where most listings are read from, each before the next. */
let listing: Uint8Array<ArrayBuffer> | undefined;

const STAT_SIZE = 72;
const LIST_HEADER = 80;
const PATH_MAX = 4096;
/** Enough for nearly all: a listing too long is made twice. */
const FIRST_LISTING = 1 << 16;
const FIRST_XATTRS = 1 << 12;

const TYPES: Readonly<Record<number, FileType>> = {
  0o010000: "fifo",
  0o020000: "char",
  0o040000: "directory",
  0o060000: "block",
  0o100000: "file",
  0o120000: "symlink",
  0o140000: "socket",
};

function isAbsence(error: SystemError): boolean {
  return error.code === "ENOENT" || error.code === "ENOTDIR";
}

function toBytes(array: BigUint64Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(array.buffer);
}

/** struct ch_stat */
function unpackStat(view: DataView, at: number): Stat {
  const mode = view.getUint32(at + 48, true);
  return {
    type: TYPES[mode & 0o170000] ?? "file",
    mode: mode & 0o7777,
    size: Number(view.getBigUint64(at + 16, true)),
    uid: view.getUint32(at + 56, true),
    gid: view.getUint32(at + 60, true),
    mtime: Number(view.getBigInt64(at + 24, true)),
    mtimeNsec: view.getUint32(at + 40, true),
    ctime: Number(view.getBigInt64(at + 32, true)),
    ctimeNsec: view.getUint32(at + 44, true),
    nlink: view.getUint32(at + 52, true),
    dev: view.getBigUint64(at, true),
    ino: view.getBigUint64(at + 8, true),
    major: view.getUint32(at + 64, true),
    minor: view.getUint32(at + 68, true),
  };
}

/** struct ch_list_entry, COUNT times */
function unpackListing(buffer: Uint8Array<ArrayBuffer>, count: number): DirectoryEntry[] {
  const view = new DataView(buffer.buffer);
  const entries: DirectoryEntry[] = [];
  for (let at = 0; entries.length < count; at += view.getUint32(at + STAT_SIZE, true)) {
    const nameAt = at + LIST_HEADER;
    const nameEnd = nameAt + view.getUint32(at + STAT_SIZE + 4, true);
    const name = decodeOsString(buffer.subarray(nameAt, nameEnd));
    entries.push({ name, ...unpackStat(view, at) });
  }
  return entries;
}

function unpackXattrs(buffer: Uint8Array<ArrayBuffer>, count: number): Map<string, Uint8Array> {
  const view = new DataView(buffer.buffer);
  const xattrs = new Map<string, Uint8Array>();
  for (let at = 0; xattrs.size < count;) {
    const nameEnd = at + 8 + view.getUint32(at, true);
    const valueEnd = nameEnd + view.getUint32(at + 4, true);
    xattrs.set(decodeOsString(buffer.subarray(at + 8, nameEnd)), buffer.slice(nameEnd, valueEnd));
    at = valueEnd;
  }
  return xattrs;
}
