// A SquashFS image as a sink of entries. Same entries in the same order, same bytes: whatever the
// machine, its number of cores and the time.

import { displayOsString } from "../../ffi/os_string.ts";
import { type ImageCounts, ImageWriter } from "../../ffi/squashfs_writer.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";
import type { Entry, Sink } from "../layer/entry.ts";
import { SQUASHFS_LEVELS, type SquashfsCompression } from "./compression.ts";

export interface SquashfsOptions {
  /** Default zstd. */
  readonly compression?: SquashfsCompression;
  /** The compressor's own measure; left out, what suits images. */
  readonly level?: number;
  /** In bytes, a power of two from 4 KiB to 1 MiB; default 64 KiB. */
  readonly blockSize?: number;
  /** Compressor threads; default one per core. */
  readonly workers?: number;
  /** Whom files belong to in the image; default root. */
  readonly ownership?: "root" | "keep";
  /** Told once for each name of an xattr that the format cannot store, with the entry's path. */
  readonly onLostXattr?: (name: string, path: string) => void;
  /** Time of making in the superblock, seconds since 1970; default 0, so that bytes do not change. */
  readonly time?: number;
  /** Whether an image that is there at the end is kept, and {@linkcode SquashfsWriter.finish} fails. */
  readonly keepExisting?: boolean;
}

const COMPRESSORS = { gzip: 1, lzo: 3, xz: 4, lz4: 5, zstd: 6 } as const satisfies Record<
  SquashfsCompression,
  number
>;
const DEFAULT_BLOCK_SIZE = 65536;
// The format has numbers for these alone; POSIX ACLs (system.*) have none.
const XATTR_PREFIXES = ["user.", "trusted.", "security."];

const S_IFSOCK = 0o140000, S_IFLNK = 0o120000, S_IFREG = 0o100000, S_IFBLK = 0o060000;
const S_IFDIR = 0o040000, S_IFCHR = 0o020000, S_IFIFO = 0o010000;

/** Writes the image file PATH (an OsString), which is to be seen when {@linkcode finish} is through and
 * not before; it replaces one that is there. Disposed earlier, it leaves nothing. Throws ChErrors. */
export class SquashfsWriter implements Sink, Disposable {
  readonly #path: string;
  readonly #image: ImageWriter;
  readonly #keepOwner: boolean;
  readonly #onLostXattr: (name: string, path: string) => void;
  readonly #lost = new Set<string>();
  #counts: ImageCounts | undefined;

  constructor(path: string, options: SquashfsOptions = {}) {
    const compression = options.compression ?? "zstd";
    this.#path = path;
    const settings = {
      compressor: COMPRESSORS[compression],
      level: options.level ?? SQUASHFS_LEVELS[compression]?.usual ?? 0,
      blockSize: options.blockSize ?? DEFAULT_BLOCK_SIZE,
      workers: options.workers ?? navigator.hardwareConcurrency,
      time: options.time ?? 0,
      keepExisting: options.keepExisting ?? false,
    };
    try {
      this.#image = new ImageWriter(path, settings);
    } catch (error) {
      throw explained(error, path);
    }
    this.#keepOwner = options.ownership === "keep";
    this.#onLostXattr = options.onLostXattr ?? (() => {});
  }

  /** What the finished image holds. */
  get counts(): ImageCounts | undefined {
    return this.#counts;
  }

  async write(entry: Entry): Promise<void> {
    try {
      await this.#write(entry);
    } catch (error) {
      throw explained(error, entry.path);
    }
  }

  async #write(entry: Entry): Promise<void> {
    const common = {
      path: entry.path,
      mode: entry.mode,
      uid: this.#keepOwner ? entry.uid : 0,
      gid: this.#keepOwner ? entry.gid : 0,
      time: entry.mtime,
      xattrs: this.#storableXattrs(entry),
    };
    switch (entry.type) {
      case "directory":
        return this.#image.add({ ...common, type: S_IFDIR });
      case "file": {
        const file = { ...common, type: S_IFREG, size: entry.size };
        if ("fd" in entry.content) return await this.#image.addFile(file, entry.content.fd);
        this.#image.add(file);
        for await (const chunk of entry.content.chunks) await this.#image.append(chunk);
        return this.#image.endFile();
      }
      case "symlink":
        return this.#image.add({ ...common, mode: 0o777, type: S_IFLNK, target: entry.target });
      case "hardlink":
        return this.#image.link(entry.path, entry.target);
      case "fifo":
        return this.#image.add({ ...common, type: S_IFIFO });
      case "socket":
        return this.#image.add({ ...common, type: S_IFSOCK });
      case "char":
      case "block":
        return this.#image.add({
          ...common,
          type: entry.type === "char" ? S_IFCHR : S_IFBLK,
          major: entry.major,
          minor: entry.minor,
        });
      default:
        entry satisfies never;
    }
  }

  async finish(): Promise<void> {
    try {
      this.#counts = await this.#image.finish();
    } catch (error) {
      throw explained(error, this.#path);
    }
  }

  [Symbol.dispose](): void {
    this.#image[Symbol.dispose]();
  }

  /** In order of their names: sources list them in any. */
  #storableXattrs(entry: Entry): (readonly [string, Uint8Array])[] {
    if (entry.xattrs === undefined) return [];
    const storable: (readonly [string, Uint8Array])[] = [];
    for (const [name, value] of entry.xattrs) {
      if (XATTR_PREFIXES.some((prefix) => name.startsWith(prefix))) storable.push([name, value]);
      else if (!this.#lost.has(name)) {
        this.#lost.add(name);
        this.#onLostXattr(name, entry.path);
      }
    }
    return storable.sort(([a], [b]) => a < b ? -1 : 1);
  }
}

function explained(error: unknown, path: string): unknown {
  if (!(error instanceof SystemError)) return error;
  return new ChError(`can’t write to SquashFS: ${displayOsString(path)}`, { cause: error });
}
