// The image that is injected into, as a tree of files of which no link leads out.

import { Descriptor, readDescriptor, readWhole } from "../../ffi/descriptor.ts";
import { findRealPath } from "../../ffi/path.ts";
import { SystemError } from "../../ffi/system_error.ts";
import {
  findEntry,
  listDirectory,
  openDirectory,
  openFile,
  openRoot,
  readEntry,
  type Resolution,
  resolveInRoot,
} from "../../ffi/tree.ts";
import { makeDirectories, putFile, removeFile, renameEntry } from "../../ffi/tree_change.ts";
import type { ElfSource } from "../elf/elf.ts";
import { ChError } from "../error.ts";

/** Small files of configuration; a hostile image has terabytes of zeros. */
const TEXT_MAX = 1 << 20;

export class ImageTree implements Disposable {
  readonly #root: Descriptor;

  /** PATH as given; messages name it so. */
  constructor(readonly path: string) {
    this.#root = openRoot(path);
  }

  /** The host's path without links, for what does not start where we are. */
  get absolutePath(): string {
    return findRealPath(this.path) ?? this.path;
  }

  get fd(): number {
    return this.#root.fd;
  }

  /** The image's PATH as the host's, for messages. */
  display(path: string): string {
    return `${this.path.replace(/\/+$/, "")}${path}`;
  }

  /** Canonical path, relative to the root, of an image's PATH that is a directory; undefined if it is none. */
  findDirectory(path: string): string | undefined {
    const found = this.#resolve(path);
    return found !== undefined && findEntry(this.fd, found.path)?.type === "directory"
      ? found.path
      : undefined;
  }

  /** Makes a directory with its parents, unless there is one. */
  makeDirectory(path: string): void {
    try {
      makeDirectories(this.fd, path, 0o755);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      throw new ChError(`can't make directory: ${this.display(path)}`, { cause: error });
    }
  }

  /** Text of a file; undefined if there is none. Bytes that are no UTF-8 are replaced. */
  findText(path: string): string | undefined {
    using file = this.#open(path);
    if (file === undefined) return undefined;
    return new TextDecoder().decode(readWhole(file.fd, TEXT_MAX));
  }

  /** Replaces the file or makes it, in one step; a link stays, and the file is where it leads. */
  writeText(path: string, text: string): void {
    try {
      const { path: canonical } = resolveInRoot(this.fd, path, { missing: "allow" });
      const aside = `${canonical}.ch-fromhost.new`;
      if (findEntry(this.fd, aside) !== undefined) removeFile(this.fd, aside);
      const now = { mtime: Math.floor(Date.now() / 1000), mtimeNsec: 0 };
      putFile(this.fd, aside, new TextEncoder().encode(text), 0o644, now);
      renameEntry(this.fd, aside, this.fd, canonical);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      throw new ChError(`can't write: ${this.display(path)}`, { cause: error });
    }
  }

  /** Calls USE with a file for reading; undefined if there is none. */
  withElf<T>(path: string, use: (source: ElfSource) => T): T | undefined {
    using file = this.#open(path);
    return file === undefined ? undefined : use(elfSourceOf(file.fd));
  }

  /** Paths ("/usr/lib/x") of all whose name WANTED accepts, sorted. Directories closed to us are left out. */
  find(wanted: (name: string) => boolean): string[] {
    const found: string[] = [];
    const pending = [""];
    for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
      for (const { name, type } of this.#list(directory)) {
        const path = directory === "" ? name : `${directory}/${name}`;
        if (type === "directory") pending.push(path);
        else if (wanted(name)) found.push(`/${path}`);
      }
    }
    return found.sort();
  }

  #list(path: string) {
    try {
      using directory = openDirectory(this.fd, path);
      return listDirectory(directory.fd);
    } catch (error) {
      if (error instanceof SystemError) return [];
      throw error;
    }
  }

  #resolve(path: string): Resolution | undefined {
    try {
      return resolveInRoot(this.fd, path);
    } catch (error) {
      if (error instanceof SystemError) return undefined;
      throw error;
    }
  }

  #open(path: string): Descriptor | undefined {
    const found = this.#resolve(path);
    if (found === undefined) return undefined;
    try {
      return openFile(this.fd, found.path);
    } catch (error) {
      if (error instanceof SystemError) return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
  }
}

/** An open file of any tree as something to read an ELF file from. */
export function elfSourceOf(fd: number): ElfSource {
  return {
    size: readEntry(fd, "").size,
    read(at, length) {
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const got = readDescriptor(fd, bytes.subarray(filled), at + filled);
        if (got === 0) break;
        filled += got;
      }
      return bytes.subarray(0, filled);
    },
  };
}
