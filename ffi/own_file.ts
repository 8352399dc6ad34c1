// Parts of our own executable that nobody needs at start: the entry code tells where they lie.

/** Bytes at the place that variable NAME tells ("OFFSET,LENGTH"): all, or COUNT of them from FROM on.
 * Undefined without entry code, or where there are none. */
export function readPart(
  name: "CH_MAP" | "CH_LINES",
  from = 0,
  count?: number,
): Uint8Array<ArrayBuffer> | undefined {
  const place = Deno.env.get(name);
  if (place === undefined) return undefined;
  const [offset = 0, length = 0] = place.split(",").map(Number);
  const bytes = new Uint8Array(count ?? length - from);
  if (from + bytes.length > length) return undefined;
  using file = Deno.openSync("/proc/self/exe");
  file.seekSync(offset + from, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) {
    const count = file.readSync(bytes.subarray(at));
    if (count === null) break;
    at += count;
  }
  return bytes;
}
