// Streams of bytes in and out of compression, off the main thread: while the consumer works on one
// piece the next is being made. What is compressed how is told by the data, never by a name.

import { type CodecKind, Decoder, gzipMember, InputFile } from "../../ffi/codec.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";

export type Compression = CodecKind | "none";

/** So many bytes {@linkcode detectCompression} wants, or all there are. */
export const MAGIC_LENGTH = 6;

// What a piece holds: large, so that a switch between threads costs little; small enough that some of
// them stay in the cache.
const INPUT_SIZE = 1 << 20;
const OUTPUT_SIZE = 1 << 20;
// Pieces a decoder may be ahead of its consumer.
const AHEAD = 3;
// A gzip member: each can be compressed by itself; at this size separate members cost less than 0.1 %.
const MEMBER_SIZE = 1 << 20;

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

/** The bytes of the host file PATH (an OsString), read ahead. Throws a ChError if it cannot be read. */
export async function* openFileChunks(path: string): AsyncGenerator<Uint8Array, void, void> {
  try {
    using file = new InputFile(path);
    yield* readAhead(readPieces(file), 1);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new ChError(`can’t read: ${path}`, { cause: error });
  }
}

async function* readPieces(file: InputFile): AsyncGenerator<Uint8Array, void, void> {
  for (;;) {
    const buffer = new Uint8Array(INPUT_SIZE);
    const size = await file.read(buffer);
    if (size > 0) yield buffer.subarray(0, size);
    if (size < buffer.length) return;
  }
}

/** CHUNKS decompressed, or as they are if they are not compressed. NAME is for messages. Streams of one
 * kind may follow one another, and zeros may follow the last, as tapes and tar(1) leave them; anything
 * else behind it is an error, as it is for tar(1), though gzip(1) alone would only warn. Throws a
 * ChError if the data is wrong or ends early. */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array, void, void> {
  const { head, rest } = await splitHead(chunks);
  const kind = detectCompression(head);
  if (kind === "none") yield* rest;
  else yield* readAhead(decode(rest, kind, name), AHEAD);
}

async function* decode(
  chunks: AsyncIterable<Uint8Array>,
  kind: CodecKind,
  name: string,
): AsyncGenerator<Uint8Array, void, void> {
  using decoder = new Decoder(kind);
  let output = new Uint8Array(OUTPUT_SIZE), filled = 0;
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
      output = new Uint8Array(OUTPUT_SIZE);
      filled = 0;
    } while (input.length > 0 || status === "output");
  }
  if (status === "input") throw new ChError(`can’t decompress: ${name}: ${kind} data is truncated`);
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
    throw new ChError(`can’t decompress: ${name}: ${error.message}`);
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
    seen.push(next.value);
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

/** ITEMS, made while the consumer is busy, at most COUNT of them in advance. */
async function* readAhead<T>(items: AsyncGenerator<T, void, void>, count: number) {
  const queue: Promise<IteratorResult<T, void>>[] = [];
  // A generator takes requests in order, one after the other, without waiting in between.
  const request = () => {
    const next = items.next();
    next.catch(() => {}); // reported when its turn comes
    queue.push(next);
  };
  try {
    for (let i = 0; i < count; i++) request();
    for (;;) {
      const next = await queue.shift()!;
      if (next.done) return;
      request();
      yield next.value;
    }
  } finally {
    await items.return();
  }
}

/** CHUNKS as gzip: members of 1 MiB, compressed on all cores at once. LEVEL is 0 to 12 (libdeflate's).
 * The same data gives the same bytes, on any machine. */
export async function* compressGzip(
  chunks: AsyncIterable<Uint8Array>,
  level = 6,
): AsyncGenerator<Uint8Array, void, void> {
  yield* readAhead(compressMembers(chunks, level), 2);
}

async function* compressMembers(
  chunks: AsyncIterable<Uint8Array>,
  level: number,
): AsyncGenerator<Uint8Array, void, void> {
  const running: Promise<Uint8Array>[] = [];
  const cores = navigator.hardwareConcurrency;
  let empty = true;
  for await (const block of gather(chunks, MEMBER_SIZE)) {
    empty = false;
    const member = gzipMember(block, level);
    member.catch(() => {}); // reported when its turn comes
    running.push(member);
    if (running.length > cores) yield await running.shift()!;
  }
  for (const member of running) yield await member;
  if (empty) yield await gzipMember(new Uint8Array(), level);
}

/** CHUNKS cut into pieces of SIZE, but for the last. */
async function* gather(
  chunks: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array, void, void> {
  let block = new Uint8Array(size), filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + size - filled);
      block.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < size) continue;
      yield block;
      block = new Uint8Array(size);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
