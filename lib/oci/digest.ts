// Digests: how blobs are named (OCI image specification, descriptor.md).

import { Sha256 } from "../../ffi/sha256.ts";

/** Of a stream: what went through {@linkcode add}. */
export class Digester {
  readonly #hash = new Sha256();
  #size = 0;

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  async add(chunk: Uint8Array): Promise<void> {
    this.#size += chunk.length;
    await this.#hash.add(chunk);
  }

  /** "sha256:…"; nothing can be added any more. */
  end(): string {
    return `sha256:${this.#hash.end()}`;
  }
}

export async function digestBytes(bytes: Uint8Array): Promise<string> {
  const digester = new Digester();
  await digester.add(bytes);
  return digester.end();
}

/** CHUNKS as they go by, hashed by DIGESTER while the consumer works on them. */
export async function* digestChunks<T extends Uint8Array>(
  chunks: AsyncIterable<T>,
  digester: Digester,
): AsyncGenerator<T, void, void> {
  let hashing = Promise.resolve();
  for await (const chunk of chunks) {
    await hashing;
    hashing = digester.add(chunk);
    yield chunk;
  }
  await hashing;
}
