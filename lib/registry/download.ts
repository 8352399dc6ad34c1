// Getting a blob into the download cache: what is there of it is kept, the rest is fetched and all of
// it verified, by one process at a time.

import { ChError } from "../error.ts";
import { BufferRing } from "../layer/buffer_ring.ts";
import { openFileChunks } from "../layer/codec.ts";
import { Digester } from "../oci/digest.ts";
import type { Downloads } from "../store/downloads.ts";
import type { BlobFile } from "./blob_file.ts";
import { streamBlob, type WantedBlob } from "./blob_stream.ts";
import type { Repository } from "./repository.ts";

export interface DownloadOptions {
  readonly downloads: Downloads;
  /** Of the file in the cache. */
  readonly name: string;
  /** Where to get it, the best place first; the last is the registry itself. */
  readonly repositories: readonly Repository[];
  /** Fetch it anew even if it is there. */
  readonly always: boolean;
  readonly signal: AbortSignal;
  /** So many more bytes are there. */
  readonly onProgress: (bytes: number) => void;
}

/** Bytes that are hashed and written at a time. */
const PIECE = 1 << 20;

/** Fills FILE with BLOB; what goes wrong is told to FILE's readers. */
export async function downloadBlob(
  blob: WantedBlob,
  file: BlobFile,
  options: DownloadOptions,
): Promise<void> {
  const { downloads, name, signal, repositories } = options;
  try {
    const log = repositories.at(-1)!.log;
    using _lock = await downloads.lock(name, signal, () => {
      log.verbose(`another process is downloading, waiting for it: ${blob.digest}`);
    });
    try {
      if (options.always || !downloads.has(name, blob.size)) await fetchRest(blob, file, options);
    } finally {
      downloads.removeLockFile(name);
    }
    file.complete(downloads.pathOf(name));
  } catch (error) {
    file.fail(error);
  }
}

async function fetchRest(
  blob: WantedBlob,
  file: BlobFile,
  { downloads, name, repositories, always, signal, onProgress }: DownloadOptions,
): Promise<void> {
  if (always) downloads.discard(name);
  const path = downloads.partialPathOf(name);
  using part = new PartialFile(path, file, onProgress);
  await part.resume(blob.size);
  for (const [index, repository] of repositories.entries()) {
    try {
      for await (const chunk of streamBlob(repository, blob, part.size, signal)) {
        await part.add(chunk);
        if (part.size > (blob.size ?? Infinity)) break;
      }
      await part.flush();
      signal.throwIfAborted(); // who is told of the progress may have had enough
      break;
    } catch (error) {
      await part.flush();
      signal.throwIfAborted();
      if (index === repositories.length - 1) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      repository.log.verbose(`mirror failed: ${repository.registry}: ${reason}`);
    }
  }
  const actual = part.digest();
  if (actual !== blob.digest || part.size !== (blob.size ?? part.size)) {
    downloads.discard(name);
    throw new ChError("registry streamed response content is invalid", {
      cause: new ChError(
        `${blob.digest}: got ${part.size} bytes with digest ${actual}`,
      ),
    });
  }
  downloads.complete(name);
  file.move(downloads.pathOf(name));
}

/** A file that is appended to, and hashed. */
class PartialFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #digester = new Digester();
  /** One is filled while the other is stored. */
  readonly #ring = new BufferRing(2, PIECE);
  #pending = this.#ring.next();
  #filled = 0;
  #stored: Promise<void> = Promise.resolve();
  #written = 0;
  #size = 0;

  constructor(
    readonly path: string,
    readonly reader: BlobFile,
    readonly onProgress: (bytes: number) => void,
  ) {
    try {
      this.#file = Deno.openSync(path, { write: true, create: true });
    } catch (error) {
      throw new ChError(`can’t write: ${path}`, { cause: error });
    }
  }

  /** Bytes taken. */
  get size(): number {
    return this.#size;
  }

  /** Takes what an earlier command left, if it is not more than WHOLE. */
  async resume(whole: number | undefined): Promise<void> {
    const { size } = this.#file.statSync();
    if (size > (whole ?? Infinity)) {
      this.#file.truncateSync(0);
      return;
    }
    if (size === 0) return;
    for await (const chunk of openFileChunks(this.path)) await this.#digester.add(chunk);
    this.#file.seekSync(0, Deno.SeekMode.End);
    this.#written = this.#size = size;
    this.#tell(size);
  }

  /** CHUNK may be used again when this resolves. */
  async add(chunk: Uint8Array): Promise<void> {
    this.#size += chunk.length;
    for (let at = 0; at < chunk.length;) {
      if (this.#filled === 0 && chunk.length - at >= PIECE) {
        await this.#store(chunk.subarray(at, at + PIECE));
        await this.#stored;
        at += PIECE;
        continue;
      }
      const part = chunk.subarray(at, at + PIECE - this.#filled);
      this.#pending.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === PIECE) await this.#storePending();
    }
  }

  async flush(): Promise<void> {
    if (this.#filled > 0) await this.#storePending();
    await this.#stored;
  }

  /** The next bytes go to other memory, so nobody has to wait for these. */
  async #storePending(): Promise<void> {
    const piece = this.#pending.subarray(0, this.#filled);
    await this.#store(piece);
    this.#filled = 0;
    this.#pending = this.#ring.next();
  }

  /** Resolves when the piece before is in the file; then this one is on its way. */
  async #store(piece: Uint8Array): Promise<void> {
    await this.#stored;
    this.#stored = this.#writeAndHash(piece);
    this.#stored.catch(() => {}); // reported to who waits for it
  }

  async #writeAndHash(piece: Uint8Array): Promise<void> {
    const hashing = this.#digester.add(piece);
    await this.#write(piece).finally(() => hashing);
    this.#written += piece.length;
    this.#tell(piece.length);
  }

  digest(): string {
    return this.#digester.end();
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  async #write(piece: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < piece.length;) at += await this.#file.write(piece.subarray(at));
    } catch (error) {
      throw new ChError(`can’t write: ${this.path}`, { cause: error });
    }
  }

  #tell(added: number): void {
    this.reader.grow(this.path, this.#written);
    this.onProgress(added);
  }
}
