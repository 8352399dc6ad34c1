// Streams of bytes into compression, on all cores at once: data is cut into pieces that are compressed
// by themselves and put one behind the other. The same data gives the same bytes, on any machine.

import { compressedBound, compressPiece, type EncoderKind } from "../../ffi/codec.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";
import { BufferRing } from "./buffer_ring.ts";
import { readAhead } from "./read_ahead.ts";

/** How to compress, or not at all. */
export type Compressor = EncoderKind | "none";

export interface LevelRange {
  readonly lowest: number;
  readonly highest: number;
  readonly usual: number;
}

export const LEVELS: Readonly<Record<EncoderKind, LevelRange>> = {
  gzip: { lowest: 0, highest: 12, usual: 6 },
  bzip2: { lowest: 1, highest: 9, usual: 9 },
  xz: { lowest: 0, highest: 9, usual: 6 },
  zstd: { lowest: 1, highest: 22, usual: 3 },
};

/** Throws a ChError unless LEVEL is in RANGE, that of COMPRESSION. */
export function requireLevel(compression: string, level: number, range: LevelRange): void {
  if (Number.isInteger(level) && level >= range.lowest && level <= range.highest) return;
  throw new ChError(`not a level of compression ${compression}: ${level}`, {
    hint: `its levels are ${range.lowest} to ${range.highest}`,
  });
}

// Large enough that separate pieces cost less than 1 % (for gzip, with its small window, 0.1 %); for
// bzip2 a multiple of its blocks.
const PIECE_SIZES: Readonly<Record<EncoderKind, number>> = {
  gzip: 1 << 20,
  bzip2: 3 * 900_000,
  xz: 16 << 20,
  zstd: 8 << 20,
};

/** Compressed pieces in advance of the consumer. */
const AHEAD = 2;

/** CHUNKS compressed. LEVEL must be in the range of {@linkcode LEVELS}. A chunk is good until the next but
 * one is asked for. */
export async function* compress(
  chunks: AsyncIterable<Uint8Array>,
  compressor: Compressor,
  level?: number,
): AsyncGenerator<Uint8Array, void, void> {
  if (compressor === "none") yield* chunks;
  else {
    const pieces = compressPieces(chunks, compressor, level ?? LEVELS[compressor].usual);
    yield* readAhead(pieces, AHEAD);
  }
}

async function* compressPieces(
  chunks: AsyncIterable<Uint8Array>,
  kind: EncoderKind,
  level: number,
): AsyncGenerator<Uint8Array, void, void> {
  const running: Promise<Uint8Array>[] = [];
  const cores = navigator.hardwareConcurrency, size = PIECE_SIZES[kind];
  // At most one more than there are cores is being compressed, one is being filled; and those behind that
  // the consumer has not got yet, that it has, and that it had before.
  const inputs = new BufferRing(cores + 2, size);
  const outputs = new BufferRing(cores + 1 + AHEAD + 2, compressedBound(kind, size));
  let isEmpty = true;
  for await (const piece of gather(chunks, inputs)) {
    isEmpty = false;
    const compressed = compressOne(kind, piece, level, outputs.next());
    compressed.catch(() => {}); // reported when its turn comes
    running.push(compressed);
    if (running.length > cores) yield await running.shift()!;
  }
  for (const compressed of running) yield await compressed;
  if (isEmpty) yield await compressOne(kind, new Uint8Array(), level, outputs.next());
}

async function compressOne(
  kind: EncoderKind,
  piece: Uint8Array,
  level: number,
  output: Uint8Array<ArrayBuffer>,
) {
  try {
    return await compressPiece(kind, piece, level, output);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new ChError(`can’t compress with ${kind} at level ${level}`, { cause: error });
  }
}

/** CHUNKS cut into pieces that fill a buffer of RING, but for the last. */
async function* gather(
  chunks: AsyncIterable<Uint8Array>,
  ring: BufferRing,
): AsyncGenerator<Uint8Array, void, void> {
  let block = ring.next(), filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + block.length - filled);
      block.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < block.length) continue;
      yield block;
      block = ring.next();
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
