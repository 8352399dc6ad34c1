// States of the build cache on disk (c/shim/cache.h has the format): what takes a look at every file of a
// tree, off the main thread. The descriptors must stay open until the promise is settled. All throw
// SystemError; what is wrong with the cache itself is EBADMSG.

import { holding } from "./in_flight.ts";
import { openLightLibrary } from "./light_library.ts";
import { decodeOsString, encodeCString } from "./os_string.ts";
import { CACHE } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";

let symbols: ReturnType<typeof openLightLibrary<typeof CACHE>> | undefined;

function library() {
  return symbols ??= openLightLibrary(CACHE);
}

export interface TreeOptions {
  /** user.* and POSIX ACLs count. */
  readonly xattrs?: boolean;
  /** Files of the tree may be written to in place: they are stored and checked out as copies. */
  readonly isPrivate?: boolean;
}

export interface TreeCommit extends TreeOptions {
  /** The cache's directory. */
  readonly cacheFd: number;
  /** An empty directory on the same file system; gets the file `state`. */
  readonly workFd: number;
  /** Name of the state before, below `states`; undefined for none. */
  readonly parent: string | undefined;
  /** The tree, or an overlay's upper directory. */
  readonly fd: number;
  /** At and below which paths the tree may differ from the parent; "overlay": as the upper directory says. */
  readonly changed: readonly string[] | "overlay";
  /** Files of a private tree that have not changed since are not read again. */
  readonly since?: { readonly sec: number; readonly nsec: number } | undefined;
  /** Files of that size, in bytes, and more get a name in the directory FD as well. */
  readonly large?: { readonly size: number; readonly fd: number } | undefined;
}

export interface TreeCommitted {
  /** Equal if the trees are. */
  readonly digest: Uint8Array<ArrayBuffer>;
  /** Of a tree without parent: equal if the trees differ in times of directories at most. */
  readonly identity: Uint8Array<ArrayBuffer>;
  /** Ends the file `state`, see {@linkcode formatEnd}. */
  readonly trailer: Uint8Array<ArrayBuffer>;
  readonly filesRead: number;
  readonly newObjects: number;
  readonly newBytes: number;
  readonly directoriesWritten: number;
  readonly notices: readonly Notice[];
}

/** Something that was changed in the tree, because images cannot have it. */
export interface Notice {
  readonly kind: "mode" | "socket" | "rpm";
  readonly path: string;
}

/** Stores a tree's new files, and writes what it consists of to the file `state`. */
export async function commitTree(commit: TreeCommit): Promise<TreeCommitted> {
  const { changed, since = { sec: 0, nsec: 0 } } = commit;
  const paths = changed === "overlay" ? [] : changed;
  const request = new DataView(new ArrayBuffer(48));
  request.setInt32(0, commit.cacheFd, true);
  request.setInt32(4, commit.workFd, true);
  request.setInt32(8, commit.fd, true);
  request.setUint32(12, packOptions(commit) | (changed === "overlay" ? OVERLAY : 0), true);
  request.setUint32(16, paths.length, true);
  request.setUint32(20, since.nsec, true);
  request.setBigInt64(24, BigInt(since.sec), true);
  request.setBigUint64(32, BigInt(commit.large?.size ?? 0), true);
  request.setInt32(40, commit.large?.fd ?? -1, true);
  const block = newErrorBlock();
  const memory = [
    new Uint8Array(request.buffer),
    encodeCString(commit.parent ?? ""),
    joinStrings(paths),
    new Uint8Array(NOTICES_SIZE),
    new Uint8Array(RESULT_SIZE),
    block,
  ] as const;
  const [packed, parent, list, notices, result] = memory;
  const status = await holding(
    library().ch_cache_commit(packed, parent, list, notices, NOTICES_SIZE, result, block),
    ...memory,
  );
  checkResult(status, block);
  const words = new DataView(result.buffer, 96);
  const word = (index: number) => Number(words.getBigUint64(8 * index, true));
  return {
    digest: result.slice(0, 32),
    identity: result.slice(32, 64),
    trailer: result.slice(64, 96),
    filesRead: word(1),
    newObjects: word(2),
    newBytes: word(3),
    directoriesWritten: word(4),
    notices: parseNotices(notices.subarray(0, word(5))),
  };
}

/** What is to be appended to a state's file: TEXT, and where everything is. */
export function formatEnd(text: Uint8Array, { trailer }: TreeCommitted): Uint8Array<ArrayBuffer> {
  const end = new Uint8Array(text.length + trailer.length);
  end.set(text);
  end.set(trailer, text.length);
  new DataView(end.buffer).setBigUint64(text.length + 8, BigInt(text.length), true);
  return end;
}

/** Where in a state's file of SIZE bytes its text is, by its last TRAILER_SIZE bytes; undefined if it is no
 * such file. */
export function locateText(
  trailer: Uint8Array<ArrayBuffer>,
  size: number,
): { readonly at: number; readonly length: number } | undefined {
  const view = new DataView(trailer.buffer, trailer.byteOffset, TRAILER_SIZE);
  const length = Number(view.getBigUint64(8, true));
  const at = size - TRAILER_SIZE - length;
  return view.getBigUint64(24, true) === MAGIC && at >= 0 ? { at, length } : undefined;
}

export const TRAILER_SIZE = 32;
const MAGIC = 0x0165746174736863n;
const RESULT_SIZE = 144;
/** More notices than have room are not worth reading. */
const NOTICES_SIZE = 1 << 16;
const XATTRS = 1, PRIVATE = 2, OVERLAY = 4;

export interface CheckOut extends TreeOptions {
  readonly cacheFd: number;
  readonly state: string;
  /** The state that the directory holds; undefined if it is empty. */
  readonly from?: string | undefined;
  readonly toFd: number;
}

/** The directory becomes what the state holds. Files are the cache's own unless it is private. */
export async function checkOutTree(request: CheckOut): Promise<void> {
  const state = encodeCString(request.state);
  const from = encodeCString(request.from ?? "");
  const counts = new Uint8Array(64);
  const block = newErrorBlock();
  const flags = packOptions(request);
  const status = await holding(
    library().ch_cache_check_out(request.cacheFd, state, from, request.toFd, flags, counts, block),
    state,
    from,
    counts,
    block,
  );
  checkResult(status, block);
}

export interface Swept {
  readonly kept: number;
  /** Bytes on disk of what is kept; measured only if asked for. */
  readonly bytes: number;
  readonly removed: number;
  /** Bytes on disk. */
  readonly freed: number;
}

/** Removes the objects that none of STATES has; or only measures the others. */
export async function sweepObjects(
  cacheFd: number,
  states: readonly string[],
  what: "remove" | "measure",
): Promise<Swept> {
  const block = newErrorBlock();
  const list = joinStrings(states);
  const result = new BigUint64Array(4);
  const bytes = new Uint8Array(result.buffer);
  const measure = what === "measure" ? 1 : 0;
  const status = await holding(
    library().ch_cache_sweep(cacheFd, list, states.length, measure, bytes, block),
    list,
    bytes,
    block,
  );
  checkResult(status, block);
  const [kept, keptBytes, removed, freed] = Array.from(result, Number);
  return { kept: kept!, bytes: keptBytes!, removed: removed!, freed: freed! };
}

export interface CacheSize {
  /** Directories count. */
  readonly files: number;
  /** On disk. */
  readonly bytes: number;
  readonly objects: number;
  readonly objectBytes: number;
}

export async function measureCache(cacheFd: number): Promise<CacheSize> {
  const block = newErrorBlock();
  const result = new BigUint64Array(4);
  const out = new Uint8Array(result.buffer);
  checkResult(await holding(library().ch_cache_measure(cacheFd, out, block), out, block), block);
  const [files, bytes, objects, objectBytes] = Array.from(result, Number);
  return { files: files!, bytes: bytes!, objects: objects!, objectBytes: objectBytes! };
}

function packOptions({ xattrs, isPrivate }: TreeOptions): number {
  return (xattrs ? XATTRS : 0) | (isPrivate ? PRIVATE : 0);
}

function joinStrings(strings: readonly string[]): Uint8Array<ArrayBuffer> {
  const parts = strings.map(encodeCString);
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 1));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

const KINDS: Readonly<Record<string, Notice["kind"]>> = { p: "mode", s: "socket", r: "rpm" };

/** Lines; a name with a newline in it makes one that is none of ours, and is left out. */
function parseNotices(bytes: Uint8Array): Notice[] {
  return decodeOsString(bytes).split("\n").flatMap((line) => {
    const kind = KINDS[line[0] ?? ""];
    return kind === undefined || line[1] !== " " ? [] : [{ kind, path: line.slice(2) }];
  });
}
