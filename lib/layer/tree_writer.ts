// A directory as a sink of entries. Whatever the entries say, nothing outside the directory is touched:
// links on the way to an entry lead as they would for a process whose root the directory is.

import { type Descriptor, readDescriptor } from "../../ffi/descriptor.ts";
import { isSystemError, SystemError } from "../../ffi/system_error.ts";
import { findEntry, openDirectory, openFile } from "../../ffi/tree.ts";
import * as change from "../../ffi/tree_change.ts";
import { ChError } from "../error.ts";
import type { Entry, Sink } from "./entry.ts";
import { findDirectory } from "./find_directory.ts";
import { isHole } from "./hole.ts";
import { displayPath, isWithin, normalizePath, splitPath } from "./member_path.ts";
import { requirePossible, requireSafePath } from "./path_check.ts";
import { PendingDirectories } from "./pending_directories.ts";
import { XattrWriter } from "./xattr_writer.ts";

export interface TreeWriterOptions {
  /** Device nodes need privilege: made, or left out and counted (the default). */
  readonly devices?: "make" | "skip";
  /** Entries get their uid and gid; needs privilege. */
  readonly owner?: boolean;
  readonly xattrs?: boolean;
}

/** Where an entry goes: a directory that is open, and a name in it. */
interface Place {
  readonly dirFd: number;
  readonly name: string;
  /** Canonical path in the tree. */
  readonly path: string;
}

type FileEntry = Entry & { readonly type: "file" };

/**
 * Writes below ROOTFD, which stays open. An entry replaces what is at its path, but a directory over a
 * directory merges. Modes are exact; those and the times of directories are set by {@linkcode finish}.
 */
export class TreeWriter implements Sink, Disposable {
  readonly #rootFd: number;
  readonly #options: TreeWriterOptions;
  readonly #directories = new PendingDirectories();
  readonly #xattrs: XattrWriter;
  #parent: { readonly given: string; readonly path: string; readonly at: Descriptor } | undefined;
  #lastPath = "";
  /** Entries left out. */
  readonly skipped = { devices: 0, sockets: 0 };

  constructor(rootFd: number, options: TreeWriterOptions = {}) {
    this.#rootFd = rootFd;
    this.#options = options;
    this.#xattrs = new XattrWriter(options.xattrs ?? false);
  }

  /** Whether attributes were wanted, and the file system has none. */
  get lacksXattrs(): boolean {
    return this.#xattrs.isLacking;
  }

  /** Canonical path of the last entry: links on the way to it are followed in there. */
  get lastPath(): string {
    return this.#lastPath;
  }

  async write(entry: Entry): Promise<void> {
    try {
      requireSafePath(entry.path);
      if (entry.path === "") return this.#writeRoot(entry);
      const place = this.#findPlace(entry.path);
      this.#lastPath = place.path;
      await this.#writeAt(entry, place);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      throw new ChError(`can’t write: ${displayPath(entry.path)}`, { cause: error });
    }
  }

  finish(): Promise<void> {
    this.#forgetParent();
    this.#directories.finish((path, entry) => this.#finishDirectory(path, entry));
    return Promise.resolve();
  }

  /** Removes what is at the canonical path PATH, with all that is in it. */
  remove(path: string): void {
    if (this.#parent !== undefined && isWithin(this.#parent.path, path)) this.#forgetParent();
    change.removeTree(this.#rootFd, path);
    this.#directories.forget(path);
  }

  /** What is written stays: the directory is the caller's. */
  [Symbol.dispose](): void {
    this.#forgetParent();
  }

  #writeRoot(entry: Entry): void {
    if (entry.type !== "directory") throw new ChError(`root is not a directory: ${entry.type}`);
    this.#lastPath = "";
    this.#directories.add("", entry);
  }

  async #writeAt(entry: Entry, place: Place): Promise<void> {
    const { dirFd, name } = place;
    switch (entry.type) {
      case "directory":
        return this.#writeDirectory(entry, place);
      case "file":
        return await this.#writeFile(entry, place);
      case "symlink":
        this.#replacing(place, () => change.makeSymlink(entry.target, dirFd, name));
        return this.#describe(entry, place);
      case "hardlink":
        return this.#writeHardLink(entry.target, entry.path, place);
      case "socket":
        this.skipped.sockets++;
        return;
      case "char":
      case "block":
        if (this.#options.devices !== "make") {
          this.skipped.devices++;
          return;
        }
        this.#replacing(place, () => change.makeNode(dirFd, name, entry.type, entry.mode, entry));
        return this.#describe(entry, place);
      case "fifo":
        this.#replacing(place, () => change.makeNode(dirFd, name, "fifo", entry.mode));
        return this.#describe(entry, place);
      default:
        return entry satisfies never;
    }
  }

  #writeDirectory(entry: Entry, place: Place): void {
    const { dirFd, name, path } = place;
    try {
      change.makeDirectory(dirFd, name, entry.mode | 0o700);
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw error;
      if (findEntry(dirFd, name)?.type === "directory") {
        change.setMode(dirFd, name, entry.mode | 0o700);
      } else {
        change.removeFile(dirFd, name);
        change.makeDirectory(dirFd, name, entry.mode | 0o700);
      }
    }
    this.#directories.add(path, entry);
  }

  async #writeFile(entry: FileEntry, place: Place): Promise<void> {
    const { content, size } = entry;
    if ("fd" in content) return this.#writeFromFd(entry, content.fd, place);
    // Most files are small and arrive whole: one call makes them. Others are made with the first chunk
    // that does not bring all.
    let offset = 0;
    let isPut = false;
    let file: Descriptor | undefined;
    try {
      for await (const chunk of content.chunks) {
        if (offset + chunk.length > size) throw wrongSize(entry);
        if (chunk.length === size && !isHole(chunk) && !this.#needsOpenFile(entry)) {
          this.#putFile(entry, chunk, place);
          isPut = true;
        } else {
          file ??= this.#createFile(place);
          if (!isHole(chunk)) change.writeDescriptor(file.fd, chunk, offset);
        }
        offset += chunk.length;
      }
      if (offset !== size) throw wrongSize(entry);
      if (isPut) return;
      file ??= this.#createFile(place);
      this.#finishFile(entry, file.fd);
    } finally {
      file?.[Symbol.dispose]();
    }
  }

  #putFile(entry: FileEntry, content: Uint8Array, place: Place): void {
    const { dirFd, name } = place;
    this.#replacing(place, () => change.putFile(dirFd, name, content, entry.mode, entry));
  }

  #createFile(place: Place): Descriptor {
    return this.#replacing(place, () => change.createFile(place.dirFd, place.name, 0o600));
  }

  #writeFromFd(entry: FileEntry, fd: number, place: Place): void {
    if (entry.size <= SMALL && !this.#needsOpenFile(entry)) {
      const data = new Uint8Array(entry.size);
      if (entry.size === 0 || readDescriptor(fd, data, 0) === entry.size) {
        return this.#putFile(entry, data, place);
      }
    }
    using file = this.#createFile(place);
    change.copyFileData(fd, file.fd, entry.size);
    this.#finishFile(entry, file.fd);
  }

  #needsOpenFile(entry: Entry): boolean {
    return this.#options.owner === true || this.#xattrs.concerns(entry);
  }

  /** Attributes first, while the file is surely writable; the owner before the mode, which it clears. */
  #finishFile(entry: FileEntry, fd: number): void {
    this.#xattrs.write(entry, fd, "");
    if (this.#options.owner) change.setOwner(fd, "", entry.uid, entry.gid);
    change.finishFile(fd, entry.size, entry.mode, entry);
  }

  #writeHardLink(target: string, member: string, place: Place): void {
    const [parent, name] = splitPath(normalizePath(target));
    const missing = () =>
      new ChError(
        `can’t link: ${displayPath(member)} -> ${displayPath(target)}: no such member`,
      );
    const above = findDirectory(this.#rootFd, parent);
    if (above === undefined || name === "") throw missing();
    using directory = openDirectory(this.#rootFd, above);
    const from = above === "" ? name : `${above}/${name}`;
    const found = findEntry(directory.fd, name);
    if (found === undefined || found.type === "directory") throw missing();
    if (from === place.path) return;
    try {
      this.#replacing(
        place,
        () => change.makeHardLink(directory.fd, name, place.dirFd, place.name),
      );
    } catch (error) {
      // Too many links, or a file system without: a copy is the next best.
      if (!isSystemError(error, "EMLINK", "EPERM", "EOPNOTSUPP") || found.type !== "file") {
        throw error;
      }
      using source = openFile(directory.fd, name);
      using file = this.#createFile(place);
      change.copyFileData(source.fd, file.fd, found.size);
      change.finishFile(file.fd, found.size, found.mode, found);
    }
  }

  /** Of what is no file and no directory. */
  #describe(entry: Entry, { dirFd, name }: Place): void {
    if (this.#options.owner) change.setOwner(dirFd, name, entry.uid, entry.gid);
    change.setTime(dirFd, name, entry);
  }

  #finishDirectory(path: string, entry: Entry): void {
    this.#xattrs.write(entry, this.#rootFd, path);
    if (this.#options.owner) change.setOwner(this.#rootFd, path, entry.uid, entry.gid);
    change.setTime(this.#rootFd, path, entry);
    change.setMode(this.#rootFd, path, entry.mode);
  }

  /** Runs MAKE; if something is in the way, once more without it. */
  #replacing<T>({ dirFd, name, path }: Place, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw error;
    }
    change.removeTree(dirFd, name);
    this.#directories.forget(path);
    return make();
  }

  /** Entries of one directory mostly follow one another: it is kept open. */
  #findPlace(path: string): Place {
    const [given, name] = splitPath(path);
    if (this.#parent?.given !== given) {
      this.#forgetParent();
      const canonical = change.makeDirectories(this.#rootFd, given, 0o755);
      requirePossible(canonical, path);
      this.#parent = { given, path: canonical, at: openDirectory(this.#rootFd, canonical) };
    }
    const parent = this.#parent!;
    return {
      dirFd: parent.at.fd,
      name,
      path: parent.path === "" ? name : `${parent.path}/${name}`,
    };
  }

  #forgetParent(): void {
    this.#parent?.at[Symbol.dispose]();
    this.#parent = undefined;
  }
}

/** Up to here reading and writing beats asking the file system for a reflink. */
const SMALL = 1 << 16;

function wrongSize({ path }: Entry): ChError {
  return new ChError(`wrong size: ${displayPath(path)}`);
}
