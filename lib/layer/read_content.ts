// The content of a small file among entries.

import { readWhole } from "../../ffi/descriptor.ts";
import { ChError } from "../error.ts";
import type { Entry } from "./entry.ts";

/** Throws a ChError if it has more than LIMIT bytes. */
export async function readContent(
  entry: Entry & { readonly type: "file" },
  limit: number,
): Promise<Uint8Array> {
  if (entry.size > limit) throw new ChError(`too large: ${entry.path}: ${entry.size} bytes`);
  if ("fd" in entry.content) return readWhole(entry.content.fd, entry.size);
  const bytes = new Uint8Array(entry.size);
  let at = 0;
  for await (const chunk of entry.content.chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
