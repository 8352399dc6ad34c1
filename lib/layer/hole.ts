// Holes of sparse files on their way through a stream of chunks: zeros out of one buffer, so that who
// writes them can tell, and leave a hole, by looking at whose bytes they are.

// Large, as a hole may have terabytes; the memory is not there before somebody looks at it.
const ZEROS = new Uint8Array(1 << 22);

/** SIZE zeros, as chunks. */
export function* holeChunks(size: number): Generator<Uint8Array> {
  for (let left = size; left > 0; left -= ZEROS.length) {
    yield left >= ZEROS.length ? ZEROS : ZEROS.subarray(0, left);
  }
}

/** Whether CHUNK came from {@linkcode holeChunks}. */
export function isHole(chunk: Uint8Array): boolean {
  return chunk.buffer === ZEROS.buffer;
}
