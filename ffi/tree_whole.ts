// Whole image trees, one call each, off the main thread. The descriptors must stay open until the
// promise is settled. All throw SystemError with the path, relative to the tree, in it.

import { openLibrary } from "./library.ts";
import { TREE_WHOLE } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";

let symbols: ReturnType<typeof openLibrary<typeof TREE_WHOLE>> | undefined;

function library() {
  return symbols ??= openLibrary(TREE_WHOLE);
}

/** What was made (struct ch_tree_counts). */
export interface TreeCounts {
  readonly directories: number;
  /** {@linkcode linkTree} counts here everything it linked. */
  readonly files: number;
  readonly symlinks: number;
  /** FIFOs, sockets, devices. */
  readonly others: number;
  readonly skippedDevices: number;
  readonly skippedFifos: number;
  readonly skippedSockets: number;
  /** Removed from the image by an overlay, counting what was below. */
  readonly removed: number;
}

export interface CopyTreeOptions {
  /** What is left out, and counted. */
  readonly skip?: readonly ("devices" | "fifos" | "sockets")[];
  /** user.* and POSIX ACLs come along. */
  readonly xattrs?: boolean;
  /** uid and gid come along; needs privilege. */
  readonly owner?: boolean;
  /** Directories get u+rwx. */
  readonly openDirectories?: boolean;
}

/**
 * TO, an empty directory, becomes a copy of FROM: content (reflinked where possible), modes, times,
 * hard links among its files. Links are copied as links.
 */
export function copyTree(
  fromFd: number,
  toFd: number,
  options: CopyTreeOptions = {},
): Promise<TreeCounts> {
  const flags = packOptions(options);
  return count((counts, block) => library().ch_tree_copy_tree(fromFd, toFd, flags, counts, block));
}

/**
 * TO, an empty directory, becomes FROM's tree with the same files: hard links, and a copy where the file
 * system refuses one. Never write to such a file in place.
 */
export function linkTree(
  fromFd: number,
  toFd: number,
  options: Pick<CopyTreeOptions, "xattrs" | "owner"> = {},
): Promise<TreeCounts> {
  const flags = packOptions(options);
  return count((counts, block) => library().ch_tree_link_tree(fromFd, toFd, flags, counts, block));
}

/**
 * Merges an overlay's upper directory (mount option userxattr) into the tree it lay on; the image's
 * root gets the upper directory's mode and time too. UPPER is left empty.
 */
export function applyOverlay(upperFd: number, imageFd: number): Promise<TreeCounts> {
  return count((counts, block) => library().ch_tree_apply_overlay(upperFd, imageFd, counts, block));
}

const SKIP = { devices: 1, fifos: 2, sockets: 4 } as const;
const XATTRS = 8, OWNER = 16, DIRECTORY_RWX = 32;

function packOptions({ skip = [], xattrs, owner, openDirectories }: CopyTreeOptions): number {
  return skip.reduce((flags, kind) => flags | SKIP[kind], 0) |
    (xattrs ? XATTRS : 0) | (owner ? OWNER : 0) | (openDirectories ? DIRECTORY_RWX : 0);
}

type Bytes = Uint8Array<ArrayBuffer>;

async function count(call: (counts: Bytes, block: Bytes) => Promise<number>): Promise<TreeCounts> {
  const counts = new BigUint64Array(8);
  const block = newErrorBlock();
  checkResult(await call(new Uint8Array(counts.buffer), block), block);
  const [directories, files, symlinks, others, ...rest] = Array.from(counts, Number);
  const [skippedDevices, skippedFifos, skippedSockets, removed] = rest;
  return {
    directories: directories!,
    files: files!,
    symlinks: symlinks!,
    others: others!,
    skippedDevices: skippedDevices!,
    skippedFifos: skippedFifos!,
    skippedSockets: skippedSockets!,
    removed: removed!,
  };
}
