// Sparse files in tar archives: a map says which stretches of the file are stored. Four ways of writing
// the map are about (GNU tar manual, "Storing Sparse Files"): in old GNU headers, and PAX 0.0, 0.1, 1.0.

import { decodeOsString } from "../../ffi/os_string.ts";
import type { ByteStream } from "./byte_stream.ts";
import { holeChunks } from "./hole.ts";
import { BLOCK, readNumber, TarHeaderError } from "./tar_header.ts";

/** One stored stretch. */
export interface Extent {
  readonly offset: number;
  readonly size: number;
}

/** Far more than a file of sense has; what a map may take of memory. */
const MAX_EXTENTS = 1_000_000;

/** Old GNU: four in the header, then blocks of 21 as long as the flag says so. */
export async function readGnuSparse(
  header: Uint8Array,
  nextBlock: () => Promise<Uint8Array>,
): Promise<{ extents: Extent[]; size: number }> {
  const size = readNumber(header, 483, 12, "sparse size");
  const extents = readGnuExtents(header, 386, 4);
  for (let more = header[482]; more;) {
    const block = await nextBlock();
    extents.push(...readGnuExtents(block, 0, 21));
    if (extents.length > MAX_EXTENTS) throw new TarHeaderError("sparse map too large");
    more = block[504];
  }
  return { extents, size };
}

/** PAX 0.1: "offset,size,offset,size…". 0.0's records are first joined to this form. */
export function parseSparseMap(text: string): Extent[] {
  const numbers = text === "" ? [] : text.split(",").map(parseDecimal);
  if (numbers.length % 2 !== 0 || numbers.length / 2 > MAX_EXTENTS) {
    throw new TarHeaderError("malformed sparse map");
  }
  return Array.from({ length: numbers.length / 2 }, (_, i) => ({
    offset: numbers[i * 2]!,
    size: numbers[i * 2 + 1]!,
  }));
}

/** PAX 1.0: at the head of the data, a count and the numbers, a line each, padded to blocks. */
export async function readSparseMap(
  nextBlock: () => Promise<Uint8Array>,
): Promise<{ extents: Extent[]; blocks: number }> {
  const numbers: number[] = [];
  let text = "";
  for (let blocks = 1;; blocks++) {
    text += decodeOsString(await nextBlock());
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) {
      if (numbers.length === 0 || numbers.length < 1 + 2 * numbers[0]!) {
        numbers.push(parseDecimal(line));
      }
    }
    if (numbers[0]! > MAX_EXTENTS || text.length > BLOCK * 2) {
      throw new TarHeaderError("malformed sparse map");
    }
    if (numbers.length > 0 && numbers.length === 1 + 2 * numbers[0]!) {
      return { extents: parseSparseMap(numbers.slice(1).join(",")), blocks };
    }
  }
}

/** Throws unless the stretches are in order, do not overlap, end in the file, and are STORED bytes. */
export function checkExtents(extents: readonly Extent[], size: number, stored: number): void {
  let end = 0, sum = 0;
  for (const extent of extents) {
    if (extent.offset < end || extent.size < 0) throw new TarHeaderError("malformed sparse map");
    end = extent.offset + extent.size;
    sum += extent.size;
  }
  if (end > size || sum !== stored) throw new TarHeaderError("malformed sparse map");
}

/** The file's bytes, holes included, from its stored ones. */
export async function* expandSparse(
  extents: readonly Extent[],
  size: number,
  data: Pick<ByteStream, "some">,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const extent of extents) {
    yield* holeChunks(extent.offset - at);
    for (let left = extent.size; left > 0;) {
      const part = await data.some(left);
      if (part === undefined) return;
      yield part;
      left -= part.length;
    }
    at = extent.offset + extent.size;
  }
  yield* holeChunks(size - at);
}

function readGnuExtents(block: Uint8Array, at: number, count: number): Extent[] {
  const extents: Extent[] = [];
  for (let i = 0; i < count; i++, at += 24) {
    if (block[at] === 0) break;
    const offset = readNumber(block, at, 12, "sparse map");
    extents.push({ offset, size: readNumber(block, at + 12, 12, "sparse map") });
  }
  return extents;
}

function parseDecimal(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new TarHeaderError("malformed sparse map");
  }
  return value;
}
