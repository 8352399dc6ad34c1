// A SquashFS image as a source of entries, and a look at single files of one.

import { displayOsString } from "../../ffi/os_string.ts";
import { SquashfsReader } from "../../ffi/squashfs_reader.ts";
import type { SquashfsDirectoryEntry, SquashfsInode } from "../../ffi/squashfs_reader.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";
import type { Content, Entry, Source } from "../layer/entry.ts";
import { isPortableXattr } from "../layer/xattr.ts";

export interface ReadSquashfsOptions {
  /** What to leave out, with all that is below. */
  readonly exclude?: (path: string) => boolean;
  /** user.* come along. */
  readonly xattrs?: boolean;
}

/** Below this a read in the main thread costs less than the way to another one and back. */
const SMALL_FILE = 64 << 10;
const CHUNK = 2 << 20;
/** A file that is read as a whole; a hostile one has terabytes of zeros. */
const READ_FILE_MAX = 64 << 20;

/**
 * Everything in the image IMAGE (OsString of a host's file), which is opened and checked at once. The
 * root directory comes first. Throws a ChError if it cannot be read or is damaged.
 */
export function readSquashfs(
  image: string,
  options: ReadSquashfsOptions = {},
): Source & Disposable {
  const reader = openImage(image);
  return {
    [Symbol.asyncIterator]: () => new Walk(reader, image, options).entries(),
    [Symbol.dispose]: () => reader[Symbol.dispose](),
  };
}

/** For looking at single files: paths are resolved as in a chroot into the image. */
export class SquashfsImage implements Disposable {
  readonly #reader: SquashfsReader;
  readonly #image: string;

  /** Throws a ChError if IMAGE cannot be read or is no SquashFS image. */
  constructor(image: string) {
    this.#reader = openImage(image);
    this.#image = image;
  }

  exists(path: string): boolean {
    return this.#find(path) !== undefined;
  }

  /** Content of a regular file; undefined if there is none of that path. */
  readFile(path: string): Uint8Array | undefined {
    const inode = this.#find(path);
    if (inode === undefined || kindOf(inode) !== "file") return undefined;
    if (inode.size > READ_FILE_MAX) {
      throw new ChError(
        `can't read SquashFS: ${displayOsString(this.#image)}: ${
          displayOsString(path)
        } is too large`,
      );
    }
    return explain(this.#image, () => {
      const bytes = new Uint8Array(inode.size);
      this.#reader.read(inode.ref, 0, bytes);
      return bytes;
    });
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
  }

  /** Links in a circle lead nowhere, as much as a missing name. */
  #find(path: string): SquashfsInode | undefined {
    try {
      return explain(this.#image, () => this.#reader.find(path));
    } catch (error) {
      const cause = error instanceof ChError ? error.cause : undefined;
      if (cause instanceof SystemError && ["ELOOP", "ENAMETOOLONG"].includes(cause.code)) return;
      throw error;
    }
  }
}

function openImage(image: string): SquashfsReader {
  try {
    return new SquashfsReader(image);
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause;
    throw new ChError(`can't open SquashFS: ${displayOsString(image)}`, { cause });
  }
}

/** Errors of ACTION with the image's name. */
function explain<T>(image: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw explained(image, error);
  }
}

function explained(image: string, cause: unknown): unknown {
  if (!(cause instanceof SystemError)) return cause;
  return new ChError(`can't read SquashFS: ${displayOsString(image)}`, { cause });
}

/** One directory that is being gone through. */
interface Level {
  readonly path: string;
  readonly entries: Iterator<SquashfsDirectoryEntry>;
}

/** One pass through an image, which may be hostile: what could go round in circles is counted. */
class Walk {
  readonly #reader: SquashfsReader;
  readonly #image: string;
  readonly #options: ReadSquashfsOptions;
  readonly #firstNames = new Map<number, string>();
  readonly #directories = new Set<bigint>();
  #inodes = 0;

  constructor(reader: SquashfsReader, image: string, options: ReadSquashfsOptions) {
    this.#reader = reader;
    this.#image = image;
    this.#options = options;
  }

  async *entries(): AsyncGenerator<Entry> {
    this.#reader.startReadahead(navigator.hardwareConcurrency);
    try {
      yield* this.#walk();
    } catch (error) {
      throw explained(this.#image, error);
    }
  }

  async *#walk(): AsyncGenerator<Entry> {
    const root = this.#reader.readInode(this.#reader.root);
    const levels: Level[] = [this.#enter(root, "")];
    yield this.#describe(root, "");
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const next = level.entries.next();
      if (next.done) {
        levels.pop();
        continue;
      }
      const inode: SquashfsDirectoryEntry = next.value;
      const path = level.path === "" ? inode.name : `${level.path}/${inode.name}`;
      if (this.#options.exclude?.(path)) continue;
      yield this.#describe(inode, path);
      if (kindOf(inode) === "directory") levels.push(this.#enter(inode, path));
    }
  }

  #enter(inode: SquashfsInode, path: string): Level {
    if (this.#directories.has(inode.ref)) {
      throw new ChError(
        `can't read SquashFS: ${displayOsString(this.#image)}: directory is in two places: ` +
          displayOsString(path),
      );
    }
    this.#directories.add(inode.ref);
    return { path, entries: this.#reader.list(inode.ref) };
  }

  #describe(inode: SquashfsInode, path: string): Entry {
    const common = this.#common(inode, path);
    const kind = kindOf(inode);
    const first = inode.links > 1 && kind !== "directory"
      ? this.#firstNames.get(inode.number)
      : undefined;
    if (first !== undefined) return { ...common, type: "hardlink", target: first };
    this.#count(inode, path);
    switch (kind) {
      case "file":
        return { ...common, type: kind, size: inode.size, content: this.#content(inode) };
      case "symlink":
        return { ...common, type: kind, target: this.#reader.readLink(inode.ref) };
      case "char":
      case "block":
        return { ...common, type: kind, major: inode.major, minor: inode.minor };
      case "directory":
      case "fifo":
      case "socket":
        return { ...common, type: kind };
      default:
        return kind satisfies never;
    }
  }

  /** More inodes than the image says it has come from listings that overlap. */
  #count(inode: SquashfsInode, path: string): void {
    if (++this.#inodes > this.#reader.inodeCount) {
      throw new ChError(
        `can't read SquashFS: ${displayOsString(this.#image)}: more than its ` +
          `${this.#reader.inodeCount} inodes`,
      );
    }
    if (inode.links > 1) this.#firstNames.set(inode.number, path);
  }

  #common(inode: SquashfsInode, path: string) {
    const { mode, uid, gid, mtime } = inode;
    const common = { path, mode, uid, gid, mtime, mtimeNsec: 0 };
    if (!this.#options.xattrs || !inode.hasXattrs) return common;
    const found = [...this.#reader.readXattrs(inode.ref)].filter(([name]) => isPortableXattr(name));
    return found.length === 0 ? common : { ...common, xattrs: new Map(found) };
  }

  #content(inode: SquashfsInode): Content {
    const chunks = inode.size <= SMALL_FILE ? this.#whole(inode) : this.#chunks(inode);
    return { chunks };
  }

  async *#whole(inode: SquashfsInode): AsyncGenerator<Uint8Array> {
    if (inode.size === 0) return;
    const bytes = new Uint8Array(inode.size);
    explain(this.#image, () => this.#reader.read(inode.ref, 0, bytes));
    yield bytes;
  }

  /** The next chunk is read while the consumer has the last. */
  async *#chunks(inode: SquashfsInode): AsyncGenerator<Uint8Array> {
    let next: Promise<Uint8Array> | undefined = this.#read(inode, 0);
    try {
      for (let at = 0; next !== undefined; at += CHUNK) {
        const chunk: Uint8Array = await next;
        next = at + CHUNK < inode.size ? this.#read(inode, at + CHUNK) : undefined;
        yield chunk;
      }
    } catch (error) {
      throw explained(this.#image, error);
    } finally {
      await next?.catch(() => {});
    }
  }

  async #read(inode: SquashfsInode, at: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.min(CHUNK, inode.size - at));
    await this.#reader.readInBackground(inode.ref, at, bytes);
    return bytes;
  }
}

type Kind = Exclude<Entry["type"], "hardlink">;

const KINDS: Readonly<Record<number, Kind>> = {
  0o040000: "directory",
  0o100000: "file",
  0o120000: "symlink",
  0o060000: "block",
  0o020000: "char",
  0o010000: "fifo",
  0o140000: "socket",
};

function kindOf(inode: SquashfsInode): Kind {
  return KINDS[inode.type]!;
}
