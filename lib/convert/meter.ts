// How far a conversion has come, shown on the log's meter: in bytes that were read of an archive or of
// layers, whose size is known, else in bytes of files that went through.

import { findRealPath } from "../../ffi/path.ts";
import { findEntry, openRoot } from "../../ffi/tree.ts";
import type { Source } from "../layer/entry.ts";
import type { Log, Progress } from "../log/log.ts";
import type { BlobSource } from "../oci/blobs.ts";
import type { Descriptor } from "../oci/model.ts";
import { splitFilePath } from "./file_path.ts";

/** Adds up what passes by. Dispose shows the last state. */
export class ByteMeter implements Disposable {
  readonly #progress: Progress;
  #done = 0;

  /** MESSAGE may be a phase as it was announced, with its dots; TOTAL is in bytes, if it is known. */
  constructor(log: Log, message: string, total: number | undefined) {
    this.#progress = log.progress(message.replace(/ ?\.*$/, ""), total);
  }

  add(bytes: number): void {
    this.#done += bytes;
    this.#progress.update(this.#done);
  }

  [Symbol.dispose](): void {
    this.#progress[Symbol.dispose]();
  }
}

/** CHUNKS, counted as they pass. */
export async function* meterChunks<T extends Uint8Array>(
  chunks: AsyncIterable<T>,
  meter: ByteMeter,
): AsyncGenerator<T, void, void> {
  for await (const chunk of chunks) {
    yield chunk;
    meter.add(chunk.length);
  }
}

/** SOURCE, the bytes of its files counted when they have been used. */
export async function* meterFiles(source: Source, meter: ByteMeter): Source {
  for await (const entry of source) {
    if (entry.type !== "file") {
      yield entry;
    } else if ("fd" in entry.content) {
      yield entry;
      meter.add(entry.size);
    } else {
      yield { ...entry, content: { chunks: meterChunks(entry.content.chunks, meter) } };
    }
  }
}

/** BLOBS, of which only those in COUNTED are. */
export function meterBlobs(
  blobs: BlobSource,
  counted: readonly Descriptor[],
  meter: ByteMeter,
): BlobSource {
  const digests = new Set(counted.map(({ digest }) => digest));
  const read = (blob: Descriptor) =>
    digests.has(blob.digest) ? meterChunks(blobs.read(blob), meter) : blobs.read(blob);
  return { read };
}

export function sumSizes(blobs: readonly Descriptor[]): number {
  return blobs.reduce((sum, { size }) => sum + size, 0);
}

/** Size in bytes of the file that PATH (an OsString) leads to; undefined if it is none, e.g. a pipe. */
export function findFileSize(path: string): number | undefined {
  const real = findRealPath(path);
  if (real === undefined) return undefined;
  const [parent, name] = splitFilePath(real);
  using directory = openRoot(parent);
  const stat = findEntry(directory.fd, name);
  return stat?.type === "file" ? stat.size : undefined;
}
