// Writing a SquashFS image through the shim (c/shim/squashfs_writer.c): packs the structures, calls,
// throws. What goes into the image is lib/squashfs/writer.ts's.

import { holding } from "./in_flight.ts";
import { openLibrary } from "./library.ts";
import { encodeCString } from "./os_string.ts";
import { SQUASHFS_WRITER } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";

export interface ImageSettings {
  /** The format's number of the compressor. */
  readonly compressor: number;
  /** 0 for libsquashfs' default. */
  readonly level: number;
  readonly blockSize: number;
  readonly workers: number;
  /** Of the superblock, in seconds. */
  readonly time: number;
  /** Whether finish fails with EEXIST rather than to replace a file. */
  readonly keepExisting: boolean;
}

export interface ImageEntry {
  /** OsString. */
  readonly path: string;
  /** S_IFMT bits. */
  readonly type: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly time: number;
  readonly size?: number;
  readonly major?: number;
  readonly minor?: number;
  /** Of a symbolic link, an OsString. */
  readonly target?: string;
  readonly xattrs?: readonly (readonly [name: string, value: Uint8Array])[];
}

export interface ImageCounts {
  readonly inodes: number;
  readonly bytes: number;
  readonly data: number;
  readonly fragments: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

const ENTRY_SIZE = 56;
const SETTINGS_SIZE = 24;
const HARD_LINK = 0xffffffff;
/** From here on a call has a thread of its own, so that the caller's other work goes on meanwhile. */
const NONBLOCKING_SIZE = 256 << 10;
const NOTHING = new Uint8Array(1);

let opened: Deno.DynamicLibrary<typeof SQUASHFS_WRITER>["symbols"] | undefined;
function shim(): Deno.DynamicLibrary<typeof SQUASHFS_WRITER>["symbols"] {
  return opened ??= openLibrary(SQUASHFS_WRITER);
}

/** An image being written. All calls are to be awaited before the next. */
export class ImageWriter implements Disposable {
  readonly #handle: bigint;
  /** For calls that end before they return; there is one of these for each small file. */
  readonly #error = newErrorBlock();
  readonly #block = new Uint8Array(ENTRY_SIZE);
  #running: Promise<number> | undefined;
  #closed = false;

  /** PATH: OsString; nothing is to be seen of it before {@linkcode finish}. */
  constructor(path: string, settings: ImageSettings) {
    const handle = new BigUint64Array(1), error = newErrorBlock();
    const result = shim().ch_squashfs_create(
      encodeCString(path),
      packSettings(settings),
      handle,
      error,
    );
    checkResult(result, error);
    this.#handle = handle[0]!;
  }

  /** Anything but a hard link or a file with data; the data of a file is to be appended. */
  add(entry: ImageEntry): void {
    this.#add(packEntry(entry, -1, this.#block));
  }

  /** A file whose data is behind FD, from offset 0 on. */
  async addFile(entry: ImageEntry, fd: number): Promise<void> {
    if ((entry.size ?? 0) < NONBLOCKING_SIZE) return this.#add(packEntry(entry, fd, this.#block));
    const { path, block, target, xattrs } = packEntry(entry, fd, new Uint8Array(ENTRY_SIZE));
    const error = newErrorBlock();
    const call = shim().add_nonblocking(this.#handle, path, block, target, xattrs, error);
    checkResult(await this.#await(call, [path, block, target, xattrs, error]), error);
  }

  /** Another name for the entry TARGET. */
  link(path: string, target: string): void {
    const block = this.#block.fill(0);
    new DataView(block.buffer).setUint32(0, HARD_LINK, true);
    this.#add({
      path: encodeCString(path),
      block,
      target: encodeCString(target),
      xattrs: NOTHING,
    });
  }

  #add({ path, block, target, xattrs }: ReturnType<typeof packEntry>): void {
    const error = this.#error;
    const result = shim().ch_squashfs_add(this.#handle, path, block, target, xattrs, error);
    checkResult(result, error);
  }

  /** More of the data of the file added last. */
  async append(data: Uint8Array): Promise<void> {
    const bytes = data as Bytes, size = BigInt(data.length);
    if (data.length < NONBLOCKING_SIZE) {
      const result = shim().ch_squashfs_append(this.#handle, bytes, size, this.#error);
      return void checkResult(result, this.#error);
    }
    const error = newErrorBlock();
    const call = shim().append_nonblocking(this.#handle, bytes, size, error);
    checkResult(await this.#await(call, [data, error]), error);
  }

  /** After the last data of a file. Throws if it was more or less than was announced. */
  endFile(): void {
    checkResult(shim().ch_squashfs_end_file(this.#handle, this.#error), this.#error);
  }

  /** Writes what is kept for the end, and gives the image its name. */
  async finish(): Promise<ImageCounts> {
    const error = newErrorBlock(), counts = new BigUint64Array(new ArrayBuffer(32));
    const call = shim().ch_squashfs_finish(this.#handle, counts, error);
    checkResult(await this.#await(call, [counts, error]), error);
    return {
      inodes: Number(counts[0]!),
      bytes: Number(counts[1]!),
      data: Number(counts[2]!),
      fragments: Number(counts[3]!),
    };
  }

  /** Waits for CALL, which works on MEMORY. */
  async #await(call: Promise<number>, memory: readonly ArrayBufferView[]): Promise<number> {
    this.#running = call;
    const result = await holding(call, ...memory);
    this.#running = undefined;
    return result;
  }

  /** Leaves nothing behind unless the image was finished. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    const close = () => void shim().ch_squashfs_close(this.#handle);
    if (this.#running === undefined) close();
    else this.#running.then(close, close);
  }
}

function packSettings(settings: ImageSettings): Bytes {
  const block = new Uint8Array(SETTINGS_SIZE);
  const view = new DataView(block.buffer);
  view.setUint32(0, settings.compressor, true);
  view.setUint32(4, settings.level, true);
  view.setUint32(8, settings.blockSize, true);
  view.setUint32(12, settings.workers, true);
  view.setUint32(16, settings.time, true);
  view.setUint32(20, settings.keepExisting ? 1 : 0, true);
  return block;
}

/** Fills BLOCK, struct ch_squashfs_entry, and makes the rest. */
function packEntry(entry: ImageEntry, fd: number, block: Bytes) {
  const view = new DataView(block.buffer);
  view.setUint32(0, entry.type, true);
  view.setUint32(4, entry.mode, true);
  view.setUint32(8, entry.uid, true);
  view.setUint32(12, entry.gid, true);
  view.setBigUint64(16, BigInt(entry.size ?? 0), true);
  view.setBigInt64(24, BigInt(entry.time), true);
  view.setUint32(32, entry.major ?? 0, true);
  view.setUint32(36, entry.minor ?? 0, true);
  view.setInt32(40, fd, true);
  view.setUint32(44, entry.xattrs?.length ?? 0, true);
  return {
    path: encodeCString(entry.path),
    block,
    target: entry.target === undefined ? NOTHING : encodeCString(entry.target),
    xattrs: packXattrs(entry.xattrs ?? []),
  };
}

function packXattrs(xattrs: readonly (readonly [string, Uint8Array])[]): Bytes {
  if (xattrs.length === 0) return NOTHING;
  const names = xattrs.map(([name]) => encodeCString(name));
  const size = xattrs.reduce((sum, [, value], i) => sum + 4 + names[i]!.length + value.length, 0);
  const block = new Uint8Array(size);
  const view = new DataView(block.buffer);
  let at = 0;
  xattrs.forEach(([, value], i) => {
    view.setUint32(at, value.length, true);
    block.set(names[i]!, at + 4);
    block.set(value, at + 4 + names[i]!.length);
    at += 4 + names[i]!.length + value.length;
  });
  return block;
}
