// Extended attributes for what is written into a directory, where its file system has them.

import { SystemError } from "../../ffi/system_error.ts";
import { setXattr } from "../../ffi/tree_change.ts";
import type { Entry } from "./entry.ts";
import { isPortableXattr } from "./xattr.ts";

export class XattrWriter {
  readonly #isWanted: boolean;
  #isPossible = true;

  constructor(isWanted: boolean) {
    this.#isWanted = isWanted;
  }

  /** Whether attributes were wanted, and the file system has none. */
  get isLacking(): boolean {
    return this.#isWanted && !this.#isPossible;
  }

  /** Whether there is something to write for this entry. */
  concerns(entry: Entry): boolean {
    return this.#isWanted && this.#isPossible && entry.xattrs !== undefined;
  }

  /** What is to be written for this entry. */
  *select(entry: Entry): Generator<readonly [name: string, value: Uint8Array]> {
    if (!this.concerns(entry)) return;
    for (const attribute of entry.xattrs!) if (isPortableXattr(attribute[0])) yield attribute;
  }

  write(entry: Entry, dirFd: number, path: string): void {
    try {
      for (const [name, value] of this.select(entry)) setXattr(dirFd, path, name, value);
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== "EOPNOTSUPP") throw error;
      this.noteLacking();
    }
  }

  /** The file system turned out to have none. */
  noteLacking(): void {
    this.#isPossible = false;
  }
}
