// A stream that is hashed by another thread while its consumer works on it. The digest is that of all of
// it, also of what the consumer had no use for, as what lies behind the end of an archive.

import { Digester } from "./digest.ts";

export class HashedStream implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #digester = new Digester();
  #hashing: Promise<void> = Promise.resolve();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The chunks, which may not be changed. Who stops before the end leaves the rest to
   * {@linkcode finish}. */
  async *read(): AsyncGenerator<Uint8Array, void, void> {
    for (let next = await this.#chunks.next(); !next.done; next = await this.#chunks.next()) {
      await this.#hashing;
      this.#hashing = this.#digester.add(next.value);
      yield next.value;
    }
  }

  /** Reads what is left; returns the digest. To be called once. */
  async finish(): Promise<string> {
    for await (const _ of this.read());
    await this.#hashing;
    return this.#digester.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hashing;
    await this.#chunks.return?.();
  }
}
