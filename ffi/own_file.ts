// Parts of our own executable that nobody needs at start: the entry code tells where they lie.

/** The bytes at the place that variable NAME tells ("OFFSET,LENGTH"); undefined without entry code. */
export function readPart(name: "CH_MAP"): Uint8Array<ArrayBuffer> | undefined {
  const place = Deno.env.get(name);
  if (place === undefined) return undefined;
  const [offset, length] = place.split(",").map(Number);
  using file = Deno.openSync("/proc/self/exe");
  file.seekSync(offset!, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length!);
  for (let at = 0; at < bytes.length;) {
    const count = file.readSync(bytes.subarray(at));
    if (count === null) break;
    at += count;
  }
  return bytes;
}
