// Blobs made here, on their way to a registry: files without a name, so that nothing of them is left
// behind however the program ends.

import { ChError } from "../error.ts";
import type { BlobSink } from "../oci/blobs.ts";
import { Digester } from "../oci/digest.ts";
import type { Descriptor } from "../oci/model.ts";
import { type BlobExtent, type LocalBlob, readPiece } from "./local_blob.ts";

/** The sink of a push. Dispose gives the room back. */
export class Spool implements BlobSink, Disposable {
  readonly #directory: string;
  readonly #signal: AbortSignal;
  readonly #blobs: SpooledBlob[] = [];
  readonly #whole = new Map<string, SpooledBlob>();

  /** DIRECTORY is where there is room for blobs. SIGNAL stops what is being written. */
  constructor(directory: string, signal = new AbortController().signal) {
    this.#directory = directory;
    this.#signal = signal;
  }

  has({ digest }: Pick<Descriptor, "digest">): Promise<boolean> {
    return Promise.resolve(this.#whole.has(digest));
  }

  /** ON_BEGIN may read the blob while it grows. */
  async write(
    mediaType: string,
    chunks: AsyncIterable<Uint8Array>,
    onBegin: (blob: LocalBlob) => void = () => {},
  ): Promise<Descriptor> {
    const blob = new SpooledBlob(this.#directory);
    this.#blobs.push(blob);
    const digester = new Digester();
    try {
      onBegin(blob);
      for await (const chunk of chunks) {
        this.#signal.throwIfAborted();
        // Both look at it at the same time.
        const hashed = digester.add(chunk);
        blob.append(chunk);
        await hashed;
      }
    } catch (error) {
      blob.fail(error);
      throw error;
    }
    const { size } = digester;
    const digest = digester.end();
    blob.complete(digest);
    this.#whole.set(digest, blob);
    return { mediaType, digest, size };
  }

  open(digest: string): LocalBlob | undefined {
    return this.#whole.get(digest);
  }

  [Symbol.dispose](): void {
    for (const blob of this.#blobs.splice(0)) blob[Symbol.dispose]();
    this.#whole.clear();
  }
}

class SpooledBlob implements LocalBlob, Disposable {
  readonly #file: Deno.FsFile;
  readonly #directory: string;
  #size = 0;
  #digest: string | undefined;
  #failure: { readonly error: unknown } | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(directory: string) {
    this.#directory = directory;
    this.#file = openUnnamed(directory);
  }

  async reach(size: number): Promise<BlobExtent> {
    while (this.#size < size && this.#digest === undefined) {
      if (this.#failure !== undefined) throw this.#failure.error;
      await this.#wake.promise;
    }
    return { size: this.#size, digest: this.#digest };
  }

  read(start: number, end: number, buffer: Uint8Array<ArrayBuffer>): Uint8Array {
    return readPiece(this.#file, start, end, buffer);
  }

  append(bytes: Uint8Array): void {
    try {
      // Readers move the position.
      this.#file.seekSync(this.#size, Deno.SeekMode.Start);
      for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    } catch (error) {
      throw new ChError(`can’t write: ${this.#directory}`, { cause: error });
    }
    this.#size += bytes.length;
    this.#notify();
  }

  complete(digest: string): void {
    this.#digest = digest;
    this.#notify();
  }

  /** There will be no more. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#notify();
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  #notify(): void {
    const { resolve } = this.#wake;
    this.#wake = Promise.withResolvers();
    resolve();
  }
}

function openUnnamed(directory: string): Deno.FsFile {
  const path = `${directory}/${crypto.randomUUID()}`;
  try {
    const file = Deno.openSync(path, { read: true, write: true, createNew: true, mode: 0o600 });
    Deno.removeSync(path);
    return file;
  } catch (error) {
    throw new ChError(`can’t write: ${directory}`, { cause: error });
  }
}
