// The files of a SquashFS image, to look into while planning.

import { SquashfsReader } from "../../ffi/squashfs_reader.ts";
import { failMissing, orFail } from "./failure.ts";
import type { FileKind, Files } from "./host.ts";
import { IMAGE_FILE_MAX, kindOf } from "./system_host.ts";

/** Throws a ChError if the file IMAGE cannot be read or is damaged. */
export function openSquashFiles(image: string): Files & Disposable {
  const reader = orFail(
    `can't open SquashFS: ${image}`,
    () => new SquashfsReader(image),
    "the file is damaged or incomplete: copy or make it again",
  );
  return new SquashFiles(reader);
}

class SquashFiles implements Files, Disposable {
  readonly #reader: SquashfsReader;

  constructor(reader: SquashfsReader) {
    this.#reader = reader;
  }

  lstat(path: string): FileKind | undefined {
    return kindOf(this.#find(path)?.type);
  }

  readLink(path: string): string {
    return this.#reader.readLink((this.#find(path) ?? failMissing("readlink", path)).ref);
  }

  readFile(path: string): Uint8Array {
    const inode = this.#find(path) ?? failMissing("open", path);
    const bytes = new Uint8Array(Math.min(inode.size, IMAGE_FILE_MAX));
    return bytes.subarray(0, this.#reader.read(inode.ref, 0, bytes));
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
  }

  /** Name by name, because a link must be seen, not followed. */
  #find(path: string) {
    let inode = this.#reader.readInode(this.#reader.root);
    for (const name of path.split("/").filter((name) => name !== "")) {
      if (kindOf(inode.type) !== "directory") return undefined;
      const found = this.#findIn(inode.ref, name);
      if (found === undefined) return undefined;
      inode = found;
    }
    return inode;
  }
  #findIn(directory: bigint, name: string) {
    for (const entry of this.#reader.list(directory)) if (entry.name === name) return entry;
    return undefined;
  }
}
