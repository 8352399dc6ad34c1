// Reading a stream of chunks by numbers of bytes. Chunks are handed out as they are wherever possible:
// only what lies across a border between two is copied.

export class ByteStream {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #current = new Uint8Array();
  #at = 0;
  #isDone = false;
  /** Bytes given out or skipped so far. */
  position = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next SIZE bytes if they are at hand; else undefined, which does not mean the end. */
  takeNow(size: number): Uint8Array | undefined {
    if (this.#current.length - this.#at < size) return undefined;
    return this.#advance(size);
  }

  /** The next SIZE bytes, fewer only at the end. */
  async take(size: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(size);
    let filled = 0;
    while (filled < size) {
      const part = await this.some(size - filled);
      if (part === undefined) return bytes.subarray(0, filled);
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes;
  }

  /** The next bytes, at most LIMIT, at least one; undefined at the end. */
  async some(limit: number): Promise<Uint8Array | undefined> {
    while (this.#at === this.#current.length) if (!await this.#pull()) return undefined;
    return this.#advance(Math.min(limit, this.#current.length - this.#at));
  }

  /** Passes over SIZE bytes; returns how many there were. */
  async skip(size: number): Promise<number> {
    let left = size;
    while (left > 0) {
      const part = await this.some(left);
      if (part === undefined) break;
      left -= part.length;
    }
    return size - left;
  }

  /** Ends the stream, also its producer. */
  async close(): Promise<void> {
    this.#isDone = true;
    await this.#chunks.return?.();
  }

  #advance(size: number): Uint8Array {
    const bytes = this.#current.subarray(this.#at, this.#at + size);
    this.#at += size;
    this.position += size;
    return bytes;
  }

  async #pull(): Promise<boolean> {
    if (this.#isDone) return false;
    const { done, value } = await this.#chunks.next();
    this.#isDone = done === true;
    this.#current = done ? new Uint8Array() : value as Uint8Array<ArrayBuffer>;
    this.#at = 0;
    return !this.#isDone;
  }
}
