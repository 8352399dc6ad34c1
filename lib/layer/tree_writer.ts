// A directory as a sink of entries. Whatever the entries say, nothing outside the directory is touched:
// links on the way to an entry lead as they would for a process whose root the directory is.

import { readDescriptor } from "../../ffi/descriptor.ts";
import { SystemError } from "../../ffi/system_error.ts";
import type { StepKind, StepNumbers } from "../../ffi/tree_batch.ts";
import { DATA_SIZE } from "../../ffi/tree_batch.ts";
import * as change from "../../ffi/tree_change.ts";
import { ChError } from "../error.ts";
import type { Entry, Sink } from "./entry.ts";
import { makeHardLink } from "./hard_link.ts";
import { isHole } from "./hole.ts";
import { displayPath, normalizePath, splitPath } from "./member_path.ts";
import { requirePossible, requireSafePath } from "./path_check.ts";
import { PendingDirectories } from "./pending_directories.ts";
import { type Place, type StepHandler, StepQueue } from "./step_queue.ts";
import { XattrWriter } from "./xattr_writer.ts";

export interface TreeWriterOptions {
  /** Device nodes need privilege: made, or left out and counted (the default). */
  readonly devices?: "make" | "skip";
  /** Entries get their uid and gid; needs privilege. */
  readonly owner?: boolean;
  readonly xattrs?: boolean;
  /** Called for each entry with its canonical path (links on the way to it are followed in there) when
   * it has been dealt with, in their order. */
  readonly onWritten?: (path: string) => void;
}

/** S_IFMT bits. */
const NODE_TYPES = { fifo: 0o010000, char: 0o020000, block: 0o060000 } as const;

type FileEntry = Entry & { readonly type: "file" };

/**
 * Writes below ROOTFD, which stays open. An entry replaces what is at its path, but a directory over a
 * directory merges. Modes are exact; those and the times of directories are set by {@linkcode finish}.
 * Entries are written in their order, but perhaps after write() has resolved; then it is a later call
 * that throws, a ChError that names the entry.
 */
export class TreeWriter implements Sink, Disposable {
  readonly #rootFd: number;
  readonly #options: TreeWriterOptions;
  readonly #directories = new PendingDirectories();
  readonly #xattrs: XattrWriter;
  readonly #queue: StepQueue;
  /** Entries left out. */
  readonly skipped = { devices: 0, sockets: 0 };

  constructor(rootFd: number, options: TreeWriterOptions = {}) {
    this.#rootFd = rootFd;
    this.#options = options;
    this.#xattrs = new XattrWriter(options.xattrs ?? false);
    this.#queue = new StepQueue(rootFd, options.owner ?? false, this.#makeHandler());
  }

  /** Whether attributes were wanted, and the file system has none. Settled by {@linkcode flush}. */
  get lacksXattrs(): boolean {
    return this.#xattrs.isLacking;
  }

  async write(entry: Entry): Promise<void> {
    try {
      requireSafePath(entry.path);
      if (entry.path === "") return this.#writeRoot(entry);
      const [parent, name] = splitPath(entry.path);
      await this.#writeAt(entry, { parent, name });
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      throw new ChError(`can’t write: ${displayPath(entry.path)}`, { cause: error });
    }
  }

  /** Resolves when all entries are written. */
  async flush(): Promise<void> {
    await this.#queue.flush();
  }

  async finish(): Promise<void> {
    await this.flush();
    this.#directories.finish((path, entry) => this.#finishDirectory(path, entry));
  }

  /** Removes what is at the canonical path PATH, with all that is in it. To be called after
   * {@linkcode flush}. */
  remove(path: string): void {
    this.#removeTree(path);
    this.#queue.forget(path);
  }

  /** What is written stays: the directory is the caller's. Nothing is written any more. */
  [Symbol.dispose](): void {
    this.#queue[Symbol.dispose]();
  }

  #writeRoot(entry: Entry): void {
    if (entry.type !== "directory") throw new ChError(`root is not a directory: ${entry.type}`);
    this.#directories.add("", entry);
    this.#options.onWritten?.("");
  }

  async #writeAt(entry: Entry, place: Place): Promise<void> {
    switch (entry.type) {
      case "directory":
        return await this.#step(entry, "directory", place, entry);
      case "file":
        return await this.#writeFile(entry, place);
      case "symlink":
        return await this.#step(entry, "symlink", place, entry, entry.target);
      case "hardlink":
        return await this.#step(entry, "link", place, {}, normalizePath(entry.target));
      case "socket":
        this.skipped.sockets++;
        return await this.#step(entry, "enter", place);
      case "char":
      case "block":
        if (this.#options.devices !== "make") {
          this.skipped.devices++;
          return await this.#step(entry, "enter", place);
        }
        return await this.#writeNode(entry, place, { size: entry.major, offset: entry.minor });
      case "fifo":
        return await this.#writeNode(entry, place, {});
      default:
        return entry satisfies never;
    }
  }

  async #writeNode(
    entry: Entry & { readonly type: keyof typeof NODE_TYPES },
    place: Place,
    device: StepNumbers,
  ): Promise<void> {
    const mode = NODE_TYPES[entry.type] | entry.mode;
    await this.#step(entry, "node", place, { ...entry, ...device, mode });
  }

  async #writeFile(entry: FileEntry, place: Place): Promise<void> {
    const { content, size } = entry;
    if ("fd" in content) return await this.#writeFromFd(entry, content.fd, place);
    // Most files are small and arrive whole: one step makes them. Others are opened with the first chunk
    // that does not bring all.
    let offset = 0;
    let isPut = false, isOpen = false;
    for await (const chunk of content.chunks) {
      if (offset + chunk.length > size) throw wrongSize(entry);
      if (chunk.length === size && this.#isPuttable(entry) && !isHole(chunk)) {
        await this.#writeData(entry, "file", place, chunk, entry);
        isPut = true;
      } else {
        if (!isOpen) await this.#openFile(entry, place);
        isOpen = true;
        if (!isHole(chunk)) await this.#writeChunk(entry, place, chunk, offset);
      }
      offset += chunk.length;
    }
    if (offset !== size) throw wrongSize(entry);
    if (isPut) return;
    if (!isOpen) await this.#openFile(entry, place);
    await this.#closeFile(entry, place);
  }

  /** Whether one step can make a file. */
  #isPuttable(entry: FileEntry): boolean {
    return entry.size <= DATA_SIZE && !this.#xattrs.concerns(entry);
  }

  /** Attributes first, while the file is surely writable. */
  async #openFile(entry: FileEntry, place: Place): Promise<void> {
    await this.#step(entry, "open", place, { mode: 0o600 });
    for (const [name, value] of this.#xattrs.select(entry)) {
      await this.#writeData(entry, "xattr", place, value, {}, name);
    }
  }

  async #writeChunk(entry: Entry, place: Place, chunk: Uint8Array, offset: number): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      const { room } = await this.#queue.reserve(countCharacters(place), 1);
      const part = chunk.subarray(at, at + room);
      await this.#writeData(entry, "write", place, part, { offset: offset + at });
      at += part.length;
    }
  }

  async #writeData(
    entry: Entry,
    kind: StepKind,
    place: Place,
    bytes: Uint8Array,
    numbers: StepNumbers,
    target = "",
  ): Promise<void> {
    const size = bytes.length;
    const batch = await this.#queue.reserve(countCharacters(place, target), size);
    const data = batch.addData(bytes);
    this.#queue.add(entry, kind, place, { ...numbers, size, data }, target);
  }

  async #closeFile(entry: FileEntry, place: Place): Promise<void> {
    await this.#step(entry, "close", place, entry);
  }

  async #writeFromFd(entry: FileEntry, fd: number, place: Place): Promise<void> {
    const { size } = entry;
    if (size <= SMALL && this.#isPuttable(entry)) {
      const bytes = new Uint8Array(size);
      if (size === 0 || readDescriptor(fd, bytes, 0) === size) {
        return await this.#writeData(entry, "file", place, bytes, entry);
      }
    }
    await this.#openFile(entry, place);
    await this.#step(entry, "copy", place, { size, data: fd });
    await this.#closeFile(entry, place);
    await this.#queue.flush(); // before somebody closes it
  }

  async #step(
    entry: Entry,
    kind: StepKind,
    place: Place,
    numbers: StepNumbers = {},
    target = "",
  ): Promise<void> {
    await this.#queue.reserve(countCharacters(place, target), 0);
    this.#queue.add(entry, kind, place, numbers, target);
  }

  #makeHandler(): StepHandler {
    return {
      findParent: (path, entry) => {
        const canonical = change.makeDirectories(this.#rootFd, path, 0o755);
        requirePossible(canonical, entry.path);
        return canonical;
      },
      removeDirectory: (path) => this.#removeTree(path),
      makeHardLink: (entry, place) =>
        makeHardLink(this.#rootFd, entry, place, (path) => this.#removeTree(path)),
      noteXattrsLacking: () => this.#xattrs.noteLacking(),
      noteWritten: (entry, path) => {
        if (entry.type === "directory") this.#directories.add(path, entry);
        this.#options.onWritten?.(path);
      },
    };
  }

  #removeTree(path: string): void {
    change.removeTree(this.#rootFd, path);
    this.#directories.forget(path);
  }

  #finishDirectory(path: string, entry: Entry): void {
    this.#xattrs.write(entry, this.#rootFd, path);
    if (this.#options.owner) change.setOwner(this.#rootFd, path, entry.uid, entry.gid);
    change.setTime(this.#rootFd, path, entry);
    change.setMode(this.#rootFd, path, entry.mode);
  }
}

/** Up to here reading and writing beats asking the file system for a reflink. */
const SMALL = 1 << 16;

function wrongSize({ path }: Entry): ChError {
  return new ChError(`wrong size: ${displayPath(path)}`);
}

function countCharacters({ parent, name }: Place, target = ""): number {
  return parent.length + name.length + target.length;
}
