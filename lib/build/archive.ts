// Archives that ADD unpacks: tar, compressed or not, told by their content.

import { readDescriptor } from "../../ffi/descriptor.ts";
import { openFile, type Stat } from "../../ffi/tree.ts";
import { decompress, detectCompression, MAGIC_LENGTH } from "../layer/codec.ts";
import { copyEntries } from "../layer/entry.ts";
import { applyImageRules } from "../layer/image_rules.ts";
import { readTar } from "../layer/tar_reader.ts";
import { TreeWriter } from "../layer/tree_writer.ts";
import type { Log } from "../log/log.ts";

interface File {
  readonly fd: number;
  readonly path: string;
  readonly stat: Stat;
  readonly given: string;
}

/** A tar header: its magic word, and where that is. */
const MAGIC = { at: 257, text: "ustar" };
const HEAD = 512;
const PIECE = 1 << 20;

/** Is it a tar archive, or something compressed? What that holds shows when it is unpacked. */
export function isArchive({ fd, path, stat }: File): boolean {
  if (stat.type !== "file" || stat.size < HEAD && stat.size < MAGIC_LENGTH) return false;
  using file = openFile(fd, path);
  const head = new Uint8Array(HEAD);
  readDescriptor(file.fd, head, 0);
  if (detectCompression(head.subarray(0, MAGIC_LENGTH)) !== "none") return isCompressedTar(path);
  return isTarHeader(head);
}

/** Compressed data that is no archive is copied, and by convention its name says what it is. */
function isCompressedTar(path: string): boolean {
  return /\.(?:tar(?:\.[a-z0-9]+)?|t[a-z]{0,2}z[a-z0-9]*|tbz2?|txz|tzst|tlz)$/i.test(path);
}

function isTarHeader(head: Uint8Array): boolean {
  return [...MAGIC.text].every((char, index) => head[MAGIC.at + index] === char.charCodeAt(0));
}

/**
 * Unpacks ARCHIVE into the empty directory ROOT_FD. Links in it lead nowhere but inside it while it is
 * unpacked. Throws a ChError for a damaged one.
 */
export async function unpackArchive(
  { fd, path, given }: File,
  rootFd: number,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  using file = openFile(fd, path);
  const members = readTar(decompress(readChunks(file.fd, signal), given), given);
  const rules = { archive: given, label: `${given}: `, log, symlinks: "keep" } as const;
  using writer = new TreeWriter(rootFd);
  await copyEntries(
    applyImageRules(members, { ...rules, setuid: "keep", fileModes: "keep", fifos: "drop" }),
    writer,
  );
}

async function* readChunks(
  fd: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  for (;;) {
    // Lets signals come in.
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal.throwIfAborted();
    const piece = new Uint8Array(PIECE);
    const size = readDescriptor(fd, piece);
    if (size === 0) return;
    yield piece.subarray(0, size);
  }
}
