// File descriptors of image trees: they are numbers for C, and closed when their block ends.

import { openLibrary } from "./library.ts";
import { TREE } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";

/** One for all calls that are made in turn on this thread: what it says is read before the next. */
const block = newErrorBlock();

let symbols: ReturnType<typeof openLibrary<typeof TREE>> | undefined;

/** The symbols for looking at trees. Shared with ffi/tree.ts. */
export function treeLibrary() {
  return symbols ??= openLibrary(TREE);
}

/** An open file or directory. */
export class Descriptor implements Disposable {
  #isOpen = true;

  constructor(readonly fd: number) {}

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    treeLibrary().ch_tree_close(this.fd, block);
  }
}

/** Fills BUFFER from OFFSET on, or from the current position; returns how much there was, 0 at the end. */
export function readDescriptor(fd: number, buffer: Uint8Array<ArrayBuffer>, offset = -1): number {
  const result = treeLibrary().ch_tree_read(fd, buffer, buffer.length, BigInt(offset), block);
  return checkResult(result, block);
}

/** The SIZE bytes of a file, from its start. A file that has become shorter gives what it has. */
export function readWhole(fd: number, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const got = readDescriptor(fd, bytes.subarray(at), at);
    if (got === 0) break;
    at += got;
  }
  return bytes.subarray(0, at);
}
