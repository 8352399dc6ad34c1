// Memory for the pieces of a stream, used again and again.

export class BufferRing {
  readonly #buffers: Uint8Array<ArrayBuffer>[] = [];
  readonly #count: number;
  readonly #size: number;
  #at = 0;

  /** COUNT pieces of SIZE bytes, made when they are first needed. */
  constructor(count: number, size: number) {
    this.#count = count;
    this.#size = size;
  }

  /** The piece that was handed out COUNT calls ago, whatever is in it. */
  next(): Uint8Array<ArrayBuffer> {
    const at = this.#at++ % this.#count;
    return this.#buffers[at] ??= new Uint8Array(this.#size);
  }
}
