// Reading SquashFS images through the shim (c/shim/squashfs_reader.c): unpacks the structures, throws
// SystemError. What the inodes mean for an image is lib/squashfs/reader.ts's.

import { openLibrary } from "./library.ts";
import { decodeOsString, encodeCString } from "./os_string.ts";
import { SQUASHFS_READER } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";

export interface SquashfsInode {
  /** What it is known by. Names that share it are hard links. */
  readonly ref: bigint;
  /** S_IFMT bits. */
  readonly type: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  /** Of a file or a symlink's target. */
  readonly size: number;
  readonly number: number;
  readonly links: number;
  /** Of a device. */
  readonly major: number;
  readonly minor: number;
  readonly hasXattrs: boolean;
}

export interface SquashfsDirectoryEntry extends SquashfsInode {
  /** OsString. */
  readonly name: string;
}

type Bytes = Uint8Array<ArrayBuffer>;

const INODE_SIZE = 72;
const TARGET_SIZE = 4096;
const LISTING_SIZE = 64 << 10;

let opened: Deno.DynamicLibrary<typeof SQUASHFS_READER>["symbols"] | undefined;
function shim(): Deno.DynamicLibrary<typeof SQUASHFS_READER>["symbols"] {
  return opened ??= openLibrary(SQUASHFS_READER);
}

/** An open image. */
export class SquashfsReader implements Disposable {
  readonly #handle: bigint;
  readonly root: bigint;
  readonly inodeCount: number;
  #running = new Set<Promise<number>>();
  #isOpen = true;

  /** PATH: OsString of a host's file. */
  constructor(path: string) {
    const block = newErrorBlock(), image = new BigUint64Array(4);
    checkResult(shim().ch_squashfs_reader_open(encodeCString(path), image, block), block);
    this.#handle = image[0]!;
    this.root = image[1]!;
    this.inodeCount = new DataView(image.buffer).getUint32(24, true);
  }

  /** Decodes what a reader of everything will want next in up to THREADS threads of its own. */
  startReadahead(threads: number): void {
    shim().ch_squashfs_reader_start_readahead(this.#handle, threads);
  }

  /** What a directory holds, sorted by the bytes of the names. */
  *list(ref: bigint): Generator<SquashfsDirectoryEntry> {
    const buffer = new Uint8Array(LISTING_SIZE), view = new DataView(buffer.buffer);
    for (let cookie = 0n;;) {
      const block = newErrorBlock();
      const used = checkResult(
        shim().ch_squashfs_reader_list(this.#handle, ref, cookie, buffer, LISTING_SIZE, block),
        block,
      );
      if (used === 0) return;
      const entries: SquashfsDirectoryEntry[] = [];
      for (let at = 0; at < used;) {
        const length = view.getUint32(at + 64, true), nameAt = at + INODE_SIZE;
        const name = decodeOsString(buffer.subarray(nameAt, nameAt + length));
        cookie = view.getBigUint64(at + 16, true);
        entries.push({ ...unpackInode(view, at), name });
        at = nameAt + Math.ceil(length / 8) * 8;
      }
      yield* entries;
    }
  }

  /** As in a chroot into the image, symlinks followed; undefined if there is nothing. */
  find(path: string): SquashfsInode | undefined {
    const block = newErrorBlock(), inode = new Uint8Array(INODE_SIZE);
    const result = shim().ch_squashfs_reader_resolve(
      this.#handle,
      encodeCString(path),
      inode,
      block,
    );
    return checkResult(result, block) > 0 ? unpackInode(new DataView(inode.buffer), 0) : undefined;
  }

  readInode(ref: bigint): SquashfsInode {
    const block = newErrorBlock(), inode = new Uint8Array(INODE_SIZE);
    checkResult(shim().ch_squashfs_reader_stat(this.#handle, ref, inode, block), block);
    return unpackInode(new DataView(inode.buffer), 0);
  }

  /** Target of a symlink, an OsString. */
  readLink(ref: bigint): string {
    const block = newErrorBlock(), target = new Uint8Array(TARGET_SIZE);
    const result = shim().ch_squashfs_reader_readlink(this.#handle, ref, target, block);
    return decodeOsString(target.subarray(0, checkResult(result, block)));
  }

  readXattrs(ref: bigint): Map<string, Uint8Array> {
    for (let capacity = 4096;;) {
      const block = newErrorBlock(), buffer = new Uint8Array(capacity);
      const size = checkResult(
        shim().ch_squashfs_reader_xattrs(this.#handle, ref, buffer, capacity, block),
        block,
      );
      if (size <= capacity) return unpackXattrs(buffer.subarray(0, size));
      capacity = size;
    }
  }

  /** Fills BUFFER from OFFSET of a file; returns how much there was, less only at the end. */
  read(ref: bigint, offset: number, buffer: Bytes): number {
    const block = newErrorBlock();
    const result = shim().ch_squashfs_reader_read(
      this.#handle,
      ref,
      BigInt(offset),
      buffer,
      buffer.length,
      block,
    );
    return checkResult(result, block);
  }

  /** The same in a thread of its own. Several may run at a time. */
  async readInBackground(ref: bigint, offset: number, buffer: Bytes): Promise<number> {
    const block = newErrorBlock();
    const running = shim().read_nonblocking(
      this.#handle,
      ref,
      BigInt(offset),
      buffer,
      buffer.length,
      block,
    );
    this.#running.add(running);
    try {
      return checkResult(await running, block);
    } finally {
      this.#running.delete(running);
    }
  }

  /** Reads under way end first; the image is closed behind them. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const close = () => void shim().ch_squashfs_reader_close(this.#handle);
    if (this.#running.size === 0) close();
    else Promise.allSettled(this.#running).then(close);
  }
}

function unpackInode(view: DataView, at: number): SquashfsInode {
  return {
    ref: view.getBigUint64(at, true),
    size: Number(view.getBigUint64(at + 8, true)),
    type: view.getUint32(at + 24, true),
    mode: view.getUint32(at + 28, true),
    uid: view.getUint32(at + 32, true),
    gid: view.getUint32(at + 36, true),
    mtime: view.getUint32(at + 40, true),
    number: view.getUint32(at + 44, true),
    links: view.getUint32(at + 48, true),
    major: view.getUint32(at + 52, true),
    minor: view.getUint32(at + 56, true),
    hasXattrs: view.getUint32(at + 60, true) !== 0,
  };
}

function unpackXattrs(bytes: Bytes): Map<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length;) {
    const size = view.getUint32(at, true);
    const keyEnd = bytes.indexOf(0, at + 4);
    xattrs.set(
      decodeOsString(bytes.subarray(at + 4, keyEnd)),
      bytes.slice(keyEnd + 1, keyEnd + 1 + size),
    );
    at = keyEnd + 1 + size;
  }
  return xattrs;
}
