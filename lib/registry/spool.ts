// Blobs made here, on their way to a registry: files without a name, so that nothing of them is left
// behind however the program ends.

import { ChError } from "../error.ts";
import type { BlobSink } from "../oci/blobs.ts";
import { Digester } from "../oci/digest.ts";
import type { Descriptor } from "../oci/model.ts";
import type { LocalBlob } from "./upload.ts";

/** The sink of a push. Dispose gives the room back. */
export class Spool implements BlobSink, Disposable {
  readonly #directory: string;
  readonly #files = new Map<string, { readonly file: Deno.FsFile; readonly size: number }>();

  /** DIRECTORY is where there is room for blobs. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  has({ digest }: Pick<Descriptor, "digest">): Promise<boolean> {
    return Promise.resolve(this.#files.has(digest));
  }

  async write(mediaType: string, chunks: AsyncIterable<Uint8Array>): Promise<Descriptor> {
    const file = openUnnamed(this.#directory);
    const digester = new Digester();
    try {
      for await (const chunk of chunks) {
        // Both look at it at the same time.
        const hashed = digester.add(chunk);
        writeAll(file, chunk, this.#directory);
        await hashed;
      }
    } catch (error) {
      file.close();
      throw error;
    }
    const { size } = digester;
    const digest = digester.end();
    this.#files.get(digest)?.file.close();
    this.#files.set(digest, { file, size });
    return { mediaType, digest, size };
  }

  open(digest: string): LocalBlob | undefined {
    const found = this.#files.get(digest);
    if (found === undefined) return undefined;
    const { file, size } = found;
    return { digest, size, read: (start, end, buffer) => readPiece(file, start, end, buffer) };
  }

  [Symbol.dispose](): void {
    for (const { file } of this.#files.values()) file.close();
    this.#files.clear();
  }
}

/** A blob in a file that has a name. */
export class BlobInFile implements LocalBlob, Disposable {
  readonly #file: Deno.FsFile;

  constructor(path: string, readonly digest: string, readonly size: number) {
    try {
      this.#file = Deno.openSync(path);
    } catch (error) {
      throw new ChError(`can’t read: ${path}`, { cause: error });
    }
  }

  read(start: number, end: number, buffer: Uint8Array<ArrayBuffer>): Uint8Array {
    return readPiece(this.#file, start, end, buffer);
  }

  [Symbol.dispose](): void {
    this.#file.close();
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

function writeAll(file: Deno.FsFile, bytes: Uint8Array, directory: string): void {
  try {
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  } catch (error) {
    throw new ChError(`can’t write: ${directory}`, { cause: error });
  }
}

function readPiece(
  file: Deno.FsFile,
  start: number,
  end: number,
  buffer: Uint8Array<ArrayBuffer>,
): Uint8Array {
  const bytes = buffer.subarray(0, end - start);
  file.seekSync(start, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) {
    const size = file.readSync(bytes.subarray(at));
    if (size === null) throw new ChError("file became shorter while it was uploaded");
    at += size;
  }
  return bytes;
}
