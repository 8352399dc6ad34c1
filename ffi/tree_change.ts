// Changing one thing in an image tree. Paths as in ffi/tree.ts: nothing is ever followed or reached
// outside the tree. What exists is not replaced (EEXIST); modes do not depend on the umask. All throw
// SystemError.

import { Descriptor } from "./descriptor.ts";
import { openLibrary } from "./library.ts";
import { encodeCString } from "./os_string.ts";
import { TREE_CHANGE } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";
import { findEntry, resolveInRoot } from "./tree.ts";

/** One for all calls, which are made in turn: what it says is read before the next. */
const block = newErrorBlock();

let symbols: ReturnType<typeof openLibrary<typeof TREE_CHANGE>> | undefined;

function library() {
  return symbols ??= openLibrary(TREE_CHANGE);
}

/** A point in time, as entries have it. */
export interface FileTime {
  readonly mtime: number;
  readonly mtimeNsec: number;
}

/** A new file, open for writing. */
export function createFile(dirFd: number, path: string, mode: number): Descriptor {
  const result = library().ch_tree_create(dirFd, encodeCString(path), mode, block);
  return new Descriptor(checkResult(result, block));
}

/** A new file with its content, mode and time, in one call. */
export function putFile(
  dirFd: number,
  path: string,
  content: Uint8Array,
  mode: number,
  { mtime, mtimeNsec }: FileTime,
): void {
  checkResult(
    library().ch_tree_put(
      dirFd,
      encodeCString(path),
      content as Uint8Array<ArrayBuffer>,
      content.length,
      mode,
      BigInt(mtime),
      mtimeNsec,
      block,
    ),
    block,
  );
}

export function makeDirectory(dirFd: number, path: string, mode: number): void {
  checkResult(library().ch_tree_mkdir(dirFd, encodeCString(path), mode, block), block);
}

/**
 * PATH of the tree with all directories above it, as a process inside would see it (links are followed
 * within the tree). What exists stays; EEXIST if it is no directory. Returns the canonical path.
 */
export function makeDirectories(rootFd: number, path: string, mode: number): string {
  const { path: canonical, present, isThere } = resolveInRoot(rootFd, path, { missing: "allow" });
  if (isThere) {
    // makeDirectory says EEXIST, with the path in it.
    if (findEntry(rootFd, canonical)?.type !== "directory") makeDirectory(rootFd, canonical, mode);
    return canonical;
  }
  let end = present.length;
  while (end < canonical.length) {
    const next = canonical.indexOf("/", end + 1);
    end = next < 0 ? canonical.length : next;
    makeDirectory(rootFd, canonical.slice(0, end), mode);
  }
  return canonical;
}

export function makeSymlink(target: string, dirFd: number, path: string): void {
  const result = library().ch_tree_symlink(
    encodeCString(target),
    dirFd,
    encodeCString(path),
    block,
  );
  checkResult(result, block);
}

/** PATH becomes a further name of FROM, also if that is a symbolic link. */
export function makeHardLink(fromFd: number, from: string, dirFd: number, path: string): void {
  const result = library().ch_tree_link(
    fromFd,
    encodeCString(from),
    dirFd,
    encodeCString(path),
    block,
  );
  checkResult(result, block);
}

/** Not of symbolic links (ELOOP), which have no mode of their own. */
export function setMode(dirFd: number, path: string, mode: number): void {
  checkResult(library().ch_tree_chmod(dirFd, encodeCString(path), mode, block), block);
}

export function setOwner(dirFd: number, path: string, uid: number, gid: number): void {
  checkResult(library().ch_tree_chown(dirFd, encodeCString(path), uid, gid, block), block);
}

export function setTime(dirFd: number, path: string, { mtime, mtimeNsec }: FileTime): void {
  const result = library().ch_tree_set_mtime(
    dirFd,
    encodeCString(path),
    BigInt(mtime),
    mtimeNsec,
    block,
  );
  checkResult(result, block);
}

export function setXattr(dirFd: number, path: string, name: string, value: Uint8Array): void {
  const result = library().ch_tree_set_xattr(
    dirFd,
    encodeCString(path),
    encodeCString(name),
    value as Uint8Array<ArrayBuffer>,
    value.length,
    block,
  );
  checkResult(result, block);
}

/** Anything but a directory. */
export function removeFile(dirFd: number, path: string): void {
  checkResult(library().ch_tree_unlink(dirFd, encodeCString(path), block), block);
}

export function removeEmptyDirectory(dirFd: number, path: string): void {
  checkResult(library().ch_tree_rmdir(dirFd, encodeCString(path), block), block);
}

/**
 * Whatever PATH is, with all below it, whatever the modes in it; nothing if it does not exist. Stops at
 * a mount point with EXDEV or EBUSY and its path (relative to DIRFD) in the error.
 */
export function removeTree(dirFd: number, path: string): void {
  checkResult(library().ch_tree_remove_tree(dirFd, encodeCString(path), block), block);
}

/** As rename(2): replaces what is at TO if the types allow it. */
export function renameEntry(fromFd: number, from: string, toFd: number, to: string): void {
  rename(fromFd, from, toFd, to, 0);
}

/** EEXIST if there is something at TO. EINVAL where the file system can't. */
export function renameToNew(fromFd: number, from: string, toFd: number, to: string): void {
  rename(fromFd, from, toFd, to, 1);
}

/** The two change places, in one step. EINVAL where the file system can't. */
export function exchangeNames(fromFd: number, from: string, toFd: number, to: string): void {
  rename(fromFd, from, toFd, to, 2);
}

function rename(fromFd: number, from: string, toFd: number, to: string, flags: number): void {
  const result = library().ch_tree_rename(
    fromFd,
    encodeCString(from),
    toFd,
    encodeCString(to),
    flags,
    block,
  );
  checkResult(result, block);
}

/** All of DATA at OFFSET of an open file. */
export function writeDescriptor(fd: number, data: Uint8Array, offset: number): void {
  const bytes = data as Uint8Array<ArrayBuffer>;
  checkResult(library().ch_tree_write(fd, bytes, bytes.length, BigInt(offset), block), block);
}

/** What an open file gets last: its size (what was not written is a hole), mode and time. */
export function finishFile(fd: number, size: number, mode: number, time: FileTime): void {
  const { mtime, mtimeNsec } = time;
  const result = library().ch_tree_finish_file(
    fd,
    BigInt(size),
    mode,
    BigInt(mtime),
    mtimeNsec,
    block,
  );
  checkResult(result, block);
}

/** The first SIZE bytes, as a reflink where it can be had; holes stay. EIO if there are fewer. */
export function copyFileData(fromFd: number, toFd: number, size: number): void {
  checkResult(library().ch_tree_copy_data(fromFd, toFd, BigInt(size), block), block);
}
