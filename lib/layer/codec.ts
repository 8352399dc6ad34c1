// Streams of bytes out of compression, off the main thread: while the consumer works on one piece the
// next is being made. What is compressed how is told by the data, never by a name.

import { type CodecKind, Decoder, InputFile } from "../../ffi/codec.ts";
import { displayOsString } from "../../ffi/os_string.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";
import { BufferRing } from "./buffer_ring.ts";
import { readAhead } from "./read_ahead.ts";

export type Compression = CodecKind | "none";

/** So many bytes {@linkcode detectCompression} looks at. */
export const MAGIC_LENGTH = 6;

// What a piece holds: large, so that a switch between threads costs little; small enough that some of
// them stay in the cache.
const INPUT_SIZE = 1 << 20;
const OUTPUT_SIZE = 1 << 20;
// Pieces a decoder may be ahead of its consumer.
const AHEAD = 3;
// Those, the one being made, the one that the consumer has, and the one before, which may still be hashed.
// Left to the garbage collector, hundreds of megabytes would pile up before it looks.
const PIECES = AHEAD + 3;

const MAGICS: readonly (readonly [CodecKind, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
];

/** The compression of data that begins with HEAD. */
export function detectCompression(head: Uint8Array): Compression {
  for (const [kind, magic] of MAGICS) {
    if (magic.every((byte, at) => head[at] === byte)) return kind;
  }
  return "none";
}

/** The compression of the data in CHUNKS, of which no more than the beginning is read. */
export async function detectStreamCompression(
  chunks: AsyncIterable<Uint8Array>,
): Promise<Compression> {
  const head: number[] = [];
  for await (const chunk of chunks) {
    head.push(...chunk.subarray(0, MAGIC_LENGTH - head.length));
    if (head.length === MAGIC_LENGTH) break;
  }
  return detectCompression(Uint8Array.from(head));
}

/** The bytes of the host file PATH (an OsString), read ahead: all, or SIZE of them from OFFSET on, fewer if
 * there are no more. A chunk is good until the next but one is asked for. Throws a ChError if it cannot be read. */
export async function* openFileChunks(
  path: string,
  { offset = 0, size = Infinity }: { readonly offset?: number; readonly size?: number } = {},
): AsyncGenerator<Uint8Array, void, void> {
  try {
    using file = new InputFile(path, offset);
    yield* readAhead(readPieces(file, size), 1);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new ChError(`can’t read: ${path}`, { cause: error });
  }
}

async function* readPieces(file: InputFile, size: number): AsyncGenerator<Uint8Array, void, void> {
  // The one being read, the one read in advance, the one that the consumer has, and the one before.
  const ring = new BufferRing(4, Math.min(INPUT_SIZE, size));
  for (let left = size; left > 0;) {
    const buffer = ring.next().subarray(0, left);
    const got = await file.read(buffer);
    if (got > 0) yield buffer.subarray(0, got);
    if (got < buffer.length) return;
    left -= got;
  }
}

/** Memory for {@linkcode decompress}, for streams that are read one after the other. */
export function newDecompressionRing(): BufferRing {
  return new BufferRing(PIECES, OUTPUT_SIZE);
}

/** CHUNKS decompressed, or as they are if they are not compressed. A chunk is good until the next but one
 * is asked for: then its memory is used again. NAME is for messages. Streams of one kind may follow one
 * another, and zeros may follow the last, as tapes and tar(1) leave them; anything else behind it is an
 * error, as it is for tar(1), though gzip(1) alone would only warn. Throws a ChError if the data is wrong
 * or ends early. */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  ring: BufferRing = newDecompressionRing(),
): AsyncGenerator<Uint8Array, void, void> {
  const { head, rest } = await splitHead(chunks);
  const kind = detectCompression(head);
  if (kind === "none") yield* rest;
  else yield* readAhead(decode(rest, kind, name, ring), AHEAD);
}

async function* decode(
  chunks: AsyncIterable<Uint8Array>,
  kind: CodecKind,
  name: string,
  ring: BufferRing,
): AsyncGenerator<Uint8Array, void, void> {
  using decoder = new Decoder(kind);
  let output = ring.next(), filled = 0;
  let status = "input";
  for await (const chunk of chunks) {
    let input = chunk;
    do {
      const progress = await runDecoder(decoder, input, output.subarray(filled), name);
      input = input.subarray(progress.consumed);
      filled += progress.produced;
      status = progress.status;
      if (filled < output.length) continue;
      yield output;
      output = ring.next();
      filled = 0;
    } while (input.length > 0 || status === "output");
  }
  if (status === "input") {
    throw new ChError(`cannot open: ${displayOsString(name)}: ${kind} data is truncated`);
  }
  if (filled > 0) yield output.subarray(0, filled);
}

async function runDecoder(
  decoder: Decoder,
  input: Uint8Array,
  output: Uint8Array<ArrayBuffer>,
  name: string,
) {
  try {
    return await decoder.run(input, output);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new ChError(`cannot open: ${displayOsString(name)}: ${error.message}`);
  }
}

/** The first bytes of CHUNKS, and all of them. */
async function splitHead(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ head: Uint8Array; rest: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  const head: number[] = [];
  while (head.length < MAGIC_LENGTH) {
    const next = await iterator.next();
    if (next.done) break;
    seen.push(next.value.slice()); // more than two may be asked for here
    head.push(...next.value.subarray(0, MAGIC_LENGTH - head.length));
  }
  return { head: Uint8Array.from(head), rest: continueAfter(seen, iterator) };
}

async function* continueAfter(
  seen: Uint8Array[],
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* seen;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
