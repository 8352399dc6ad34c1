// A blob in the download cache that may still be growing: who reads it need not wait for its end, nor
// hold it in memory. What was read counts only when `whole` has resolved.

import { InputFile } from "../../ffi/codec.ts";
import { BufferRing } from "../layer/buffer_ring.ts";

/** Bytes read at a time. */
const PIECE = 1 << 20;
/** The one being read, the one that the reader has, and the one before. */
const PIECES = 3;

/** Memory for {@linkcode BlobFile.read}, for files that are read one after the other. */
export function newReadingRing(): BufferRing {
  return new BufferRing(PIECES, PIECE);
}

export class BlobFile {
  #path: string | undefined;
  #size = 0;
  #isWhole = false;
  #failure: { readonly error: unknown } | undefined;
  #wake = Promise.withResolvers<void>();
  readonly #whole = Promise.withResolvers<void>();

  constructor() {
    this.#whole.promise.catch(() => {}); // who wants to know waits for `whole`
  }

  /** Resolves when all of it is there and verified. */
  get whole(): Promise<void> {
    return this.#whole.promise;
  }

  /** SIZE bytes are in the file PATH. */
  grow(path: string, size: number): void {
    this.#path = path;
    this.#size = size;
    this.#notify();
  }

  /** The file has another name from now on; to be told before anything else happens. */
  move(path: string): void {
    this.#path = path;
  }

  /** PATH has all of it. */
  complete(path: string): void {
    this.#path = path;
    this.#isWhole = true;
    this.#whole.resolve();
    this.#notify();
  }

  /** There will be no more. */
  fail(error: unknown): void {
    if (this.#isWhole) return;
    this.#failure = { error };
    this.#whole.reject(error);
    this.#notify();
  }

  /** From the first byte to the last, as they arrive. A chunk is good until the next but one is asked
   * for. Throws what made it fail. */
  async *read(ring = newReadingRing()): AsyncGenerator<Uint8Array, void, void> {
    let file: InputFile | undefined;
    try {
      let at = 0;
      for (;;) {
        const isLast = this.#isWhole;
        const wake = this.#wake.promise;
        if (this.#path !== undefined && (isLast || at < this.#size)) {
          file ??= new InputFile(this.#path);
          const buffer = ring.next().subarray(0, isLast ? PIECE : this.#size - at);
          const size = await file.read(buffer);
          at += size;
          if (size > 0) yield buffer.subarray(0, size);
          else if (isLast) return;
          continue;
        }
        if (this.#failure !== undefined) throw this.#failure.error;
        await wake;
      }
    } finally {
      file?.[Symbol.dispose]();
    }
  }

  #notify(): void {
    const { resolve } = this.#wake;
    this.#wake = Promise.withResolvers();
    resolve();
  }
}
