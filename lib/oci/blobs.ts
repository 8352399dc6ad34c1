// Where the blobs of images come from and go to: a registry, a layout directory, an archive. Blobs are
// named by their digest, so whoever reads one can tell whether it is the right one, and always does.

import { ChError } from "../error.ts";
import { oneChunk } from "../layer/one_chunk.ts";
import { digestBytes, Digester } from "./digest.ts";
import { type Descriptor, MAX_DOCUMENT } from "./model.ts";

export interface BlobSource {
  /**
   * The bytes of a blob. They are checked: if size or digest are not the descriptor's, it throws a
   * ChError ({@linkcode verifyBlob}), so nothing may be relied upon before the end was reached. Throws
   * one, too, if there is no such blob.
   */
  read(blob: Descriptor): AsyncIterable<Uint8Array>;
}

export interface BlobSink {
  /** Whether the blob is there, so that it need not be written. */
  has(blob: Pick<Descriptor, "digest" | "size">): Promise<boolean>;
  /**
   * Takes a blob whose digest is known when all of it has passed; resolves when it is there for good.
   * If it throws, there is no such blob.
   */
  write(mediaType: string, chunks: AsyncIterable<Uint8Array>): Promise<Descriptor>;
}

/** CHUNKS, at the end of which their size and digest have been compared with those of BLOB. NAME is for
 * messages. More than was announced is not even handed on. */
export async function* verifyBlob<T extends Uint8Array>(
  chunks: AsyncIterable<T>,
  { digest, size }: Descriptor,
  name: string,
): AsyncGenerator<T, void, void> {
  const digester = new Digester();
  for await (const chunk of chunks) {
    await digester.add(chunk);
    if (digester.size > size) throw wrongSize(name, `more than ${size} bytes`);
    yield chunk;
  }
  if (digester.size < size) throw wrongSize(name, `${digester.size} bytes instead of ${size}`);
  const actual = digester.end();
  if (actual === digest) return;
  throw new ChError(`wrong content: ${name}: digest is ${actual}, not ${digest}`);
}

/** A whole document. Throws a ChError if it is larger than any should be. */
export async function readDocument(source: BlobSource, blob: Descriptor): Promise<Uint8Array> {
  if (blob.size > MAX_DOCUMENT) {
    throw new ChError(`too large: ${blob.digest}: ${blob.size} bytes of metadata`);
  }
  const bytes = new Uint8Array(blob.size);
  let at = 0;
  for await (const chunk of source.read(blob)) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Writes what is at hand, unless SINK has it. */
export async function writeBytes(
  sink: BlobSink,
  mediaType: string,
  bytes: Uint8Array,
): Promise<Descriptor> {
  const blob = { mediaType, digest: await digestBytes(bytes), size: bytes.length };
  return await sink.has(blob) ? blob : await sink.write(mediaType, oneChunk(bytes));
}

function wrongSize(name: string, what: string): ChError {
  return new ChError(`wrong size: ${name}: ${what}`);
}
