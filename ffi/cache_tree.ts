// What a state of the build cache consists of (c/shim/cache_tree.c), without looking at any of its files.

import { holding } from "./in_flight.ts";
import { openLightLibrary } from "./light_library.ts";
import { openMemoryFile, readMemoryFile } from "./memory_file.ts";
import { decodeOsString, encodeCString } from "./os_string.ts";
import { CACHE } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";

export interface CachedEntry {
  readonly path: string;
  readonly type: "directory" | "file" | "symlink" | "fifo";
  readonly mode: number;
  readonly mtime: number;
  readonly mtimeNsec: number;
  /** Of a file. */
  readonly size: number;
  /** SHA-256 of a file's content, in hexadecimal digits. */
  readonly digest: string;
  /** Of a symbolic link: where it leads. Of a file with several names: the one it had first; "" else. */
  readonly text: string;
}

/** Everything in STATE, directories before what is in them. CACHE_FD must stay open until the promise is
 * settled. Throws SystemError; what is wrong with the cache itself is EBADMSG. */
export async function listCachedTree(cacheFd: number, state: string): Promise<CachedEntry[]> {
  const name = encodeCString(state);
  const block = newErrorBlock();
  using file = openMemoryFile("ch-state");
  const { ch_cache_list } = openLightLibrary(CACHE);
  checkResult(await holding(ch_cache_list(cacheFd, name, file.fd, block), name, block), block);
  return unpack(readMemoryFile(file));
}

/** struct cache_entry of c/shim/cache.h. */
function unpack(bytes: Uint8Array<ArrayBuffer>): CachedEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: CachedEntry[] = [];
  for (let at = 0; at < bytes.length; at += view.getUint32(at, true)) {
    const path = at + 88, text = path + view.getUint16(at + 18, true) + 1;
    const type = TYPES[String.fromCharCode(bytes[at + 16]!)];
    if (type === undefined) throw new TypeError("ch_cache_list() gives an unknown type");
    entries.push({
      path: decodeOsString(bytes.subarray(path, text - 1)),
      type,
      mode: view.getUint32(at + 20, true),
      mtime: Number(view.getBigInt64(at + 24, true)),
      mtimeNsec: view.getUint32(at + 32, true),
      size: Number(view.getBigUint64(at + 40, true)),
      digest: bytes.subarray(at + 48, at + 80).toHex(),
      text: decodeOsString(bytes.subarray(text, text + view.getUint32(at + 36, true))),
    });
  }
  return entries;
}

const TYPES: Readonly<Record<string, CachedEntry["type"]>> = {
  d: "directory",
  f: "file",
  l: "symlink",
  p: "fifo",
};
