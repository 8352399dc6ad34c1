// Blobs at hand, some of which are still being made.

import { ChError } from "../error.ts";

export interface BlobExtent {
  readonly size: number;
  /** Undefined for as long as more is to come. */
  readonly digest: string | undefined;
}

export interface LocalBlob {
  /** What there is of it, as soon as that is SIZE bytes or all. Throws if it will never be whole. */
  reach(size: number): Promise<BlobExtent>;
  /** Bytes START to END, which are there, in BUFFER, which has room for them. */
  read(start: number, end: number, buffer: Uint8Array<ArrayBuffer>): Uint8Array;
}

/** A blob in memory. */
export function toLocalBlob(digest: string, bytes: Uint8Array): LocalBlob {
  return {
    reach: () => Promise.resolve({ digest, size: bytes.length }),
    read: (start, end) => bytes.subarray(start, end),
  };
}

/** A blob in a file that has a name. */
export class BlobInFile implements LocalBlob, Disposable {
  readonly #file: Deno.FsFile;
  readonly #extent: BlobExtent;

  constructor(path: string, extent: BlobExtent) {
    this.#extent = extent;
    try {
      this.#file = Deno.openSync(path);
    } catch (error) {
      throw new ChError(`can’t read: ${path}`, { cause: error });
    }
  }

  reach(): Promise<BlobExtent> {
    return Promise.resolve(this.#extent);
  }

  read(start: number, end: number, buffer: Uint8Array<ArrayBuffer>): Uint8Array {
    return readPiece(this.#file, start, end, buffer);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Bytes START to END of FILE in BUFFER. Throws a ChError if it has not so many. */
export function readPiece(
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
