// Files of the host by path, absolute or relative to the working directory, the name being bytes
// (ffi/os_string.ts). All throw SystemError. Trees of images are ffi/tree.ts's.

import { openLightLibrary } from "./light_library.ts";
import { decodeOsString, encodeCString } from "./os_string.ts";
import { PATH } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";

let symbols: ReturnType<typeof openLightLibrary<typeof PATH>> | undefined;

function library() {
  return symbols ??= openLightLibrary(PATH);
}

/** What becomes of links: followed; the last one kept as what it is; or, on the way to the last
 * component, an error, which is for the files of images that somebody else may be changing. */
export type Links = "follow" | "keep" | "refuse";

const LINKS: Readonly<Record<Links, number>> = { keep: 0, follow: 1, refuse: 2 };

/** File mode with its type bits; of what PATH leads to, or of a link itself. Undefined if there is no
 * such file. */
export function findMode(path: string, links: Links): number | undefined {
  const block = newErrorBlock();
  const result = library().ch_path_mode(encodeCString(path), LINKS[links], block);
  return result === -ENOENT ? undefined : checkResult(result, block);
}

/** The canonical path: absolute, without links, "." and "..". Undefined if there is no such file. */
export function findRealPath(path: string): string | undefined {
  const block = newErrorBlock();
  const buffer = new Uint8Array(TEXT_MAX);
  const result = library().ch_path_real(encodeCString(path), buffer, buffer.length, block);
  if (result === -ENOENT) return undefined;
  return decodeOsString(buffer.subarray(0, checkResult(result, block)));
}

/** Names in a directory, sorted; of a few thousand entries at most. Undefined if there is no such directory. */
export function findNames(path: string): string[] | undefined {
  const block = newErrorBlock();
  const buffer = new Uint8Array(LISTING_MAX);
  const result = library().ch_path_list(encodeCString(path), buffer, buffer.length, block);
  if (result === -ENOENT) return undefined;
  const text = decodeOsString(buffer.subarray(0, checkResult(result, block)));
  return text.split("\0").slice(0, -1).sort();
}

const LISTING_MAX = 1 << 18;

/** What tells a file from all others that ever were on its file system: inode number and time of birth.
 * Links are followed. */
export function readFileIdentity(path: string): string {
  const block = newErrorBlock();
  const out = new BigUint64Array(3);
  checkResult(library().ch_path_identity(encodeCString(path), out, block), block);
  return `${out[0]}.${out[1]}.${out[2]}`;
}

/** Value of an extended attribute, of a link itself; undefined if there is none. */
export function findXattr(path: string, name: string): string | undefined {
  const block = newErrorBlock();
  const buffer = new Uint8Array(TEXT_MAX);
  const result = library().ch_path_xattr(
    encodeCString(path),
    encodeCString(name),
    buffer,
    buffer.length,
    block,
  );
  if (result === -ENODATA || result === -EOPNOTSUPP) return undefined;
  return decodeOsString(buffer.subarray(0, checkResult(result, block)));
}

/** Target of a symbolic link. */
export function readLink(path: string, links: "keep" | "refuse" = "keep"): string {
  const block = newErrorBlock();
  const buffer = new Uint8Array(TEXT_MAX);
  const result = library().ch_path_readlink(
    encodeCString(path),
    LINKS[links],
    buffer,
    buffer.length,
    block,
  );
  return decodeOsString(buffer.subarray(0, checkResult(result, block)));
}

/** The bytes of a file, a pipe too, up to LIMIT. An error's `call` is "open" or "read". Where links are
 * refused, anything but a regular file is, too. */
export function readBytes(
  path: string,
  limit = Infinity,
  links: "follow" | "refuse" = "follow",
): Uint8Array<ArrayBuffer> {
  const block = newErrorBlock();
  const name = encodeCString(path);
  const fd = checkResult(library().ch_path_open(name, LINKS[links], block), block);
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    while (length < limit) {
      const chunk = new Uint8Array(Math.min(CHUNK, limit - length));
      const read = library().ch_path_read(fd, chunk, chunk.length, name, block);
      const count = checkResult(read, block);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      length += count;
    }
    return concatenate(chunks, length);
  } finally {
    library().ch_path_close(fd);
  }
}

/** PATH_MAX of Linux, which bounds link targets and the results of realpath(3). */
const TEXT_MAX = 4096;
const CHUNK = 65536;
const ENOENT = 2, ENODATA = 61, EOPNOTSUPP = 95;

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
