// Bytes at hand where a stream of chunks is wanted.

/** BYTES as the only chunk; none if there are none. */
export async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  if (bytes.length > 0) yield bytes;
}
