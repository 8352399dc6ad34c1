// A tar archive as a source of entries. Own code, because names and attributes are bytes here, and
// archives in the wild use every dialect (tar_header.ts).

import { decodeOsString, displayOsString } from "../../ffi/os_string.ts";
import { ChError } from "../error.ts";
import { ByteStream } from "./byte_stream.ts";
import type { Entry, Source } from "./entry.ts";
import { PaxError } from "./pax_records.ts";
import { displayPath } from "./member_path.ts";
import { applyExtension, findNumber, findText, findXattrs } from "./tar_extension.ts";
import { type Extension, NO_EXTENSION, parseExtension } from "./tar_extension.ts";
import { BLOCK, decodeTarHeader, isZeroBlock, TarHeaderError } from "./tar_header.ts";
import type { TarHeader } from "./tar_header.ts";
import { checkExtents, expandSparse, type Extent, parseSparseMap } from "./tar_sparse.ts";
import { readGnuSparse, readSparseMap } from "./tar_sparse.ts";

/**
 * The members of an archive in their order, with paths and link targets **as they stand in it**: absolute,
 * with "..", "./" or whatever. image_rules.ts makes image paths of them. NAME is for messages. An archive
 * that is cut off, damaged or none at all throws ChError: `cannot open: NAME: REASON`.
 */
export async function* readTar(chunks: AsyncIterable<Uint8Array>, name: string): Source {
  const archive = new Archive(chunks, name);
  try {
    for (let entry = await archive.next(); entry; entry = await archive.next()) yield entry;
  } finally {
    await archive.close();
  }
}

/** A member, and where in the archive its data lies. */
export interface PlacedMember {
  readonly entry: Entry;
  /** Undefined if it has none, or has holes. */
  readonly offset: number | undefined;
}

/** As {@linkcode readTar}, but where the data lies instead of the data. CHUNKS are not compressed. */
export async function* listTar(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<PlacedMember, void, void> {
  const archive = new Archive(chunks, name);
  try {
    for (let entry = await archive.next(); entry; entry = await archive.next()) {
      yield { entry, offset: archive.findOffset(entry) };
    }
  } finally {
    await archive.close();
  }
}

/** What the extended headers of one member may take, all of them; far above any real ones. */
const MAX_EXTENSION = 1 << 20;
/** Of a sparse file: what ext4 has room for. A header is all it takes to claim any size. */
const MAX_SPARSE = 2 ** 44;
/** Files up to here are handed out in one piece, even if that takes a copy. */
const SMALL = 1 << 16;

type Member = TarHeader & { readonly mtimeNsec: number };

class Archive {
  readonly #stream: ByteStream;
  readonly #name: string;
  #global = NO_EXTENSION;
  /** Stored bytes of the present member that nobody has taken yet, and the padding behind. */
  #left = 0;
  #padding = 0;
  /** Bytes of extended headers before the present member. */
  #extended = 0;

  constructor(chunks: AsyncIterable<Uint8Array>, name: string) {
    this.#stream = new ByteStream(chunks);
    this.#name = name;
  }

  close(): Promise<void> {
    return this.#stream.close();
  }

  /** Of the data of ENTRY, the present one. */
  findOffset(entry: Entry): number | undefined {
    return entry.type === "file" && entry.size === this.#left ? this.#stream.position : undefined;
  }

  async next(): Promise<Entry | undefined> {
    if (this.#left + this.#padding > 0) await this.#skipMember();
    const start = this.#stream.position;
    try {
      return await this.#readMember();
    } catch (error) {
      if (!(error instanceof TarHeaderError || error instanceof PaxError)) throw error;
      const reason = start === 0
        ? "not a tar archive"
        : `damaged tar archive: ${error.message} in member at byte ${start}`;
      throw this.#failure(reason);
    }
  }

  /** Extended headers come before the member they are about. */
  async #readMember(): Promise<Entry | undefined> {
    let extension: Extension = this.#global;
    this.#extended = 0;
    let longName: string | undefined, longLink: string | undefined;
    for (;;) {
      const block = await this.#readHeaderBlock();
      if (block === undefined) return undefined;
      const header = decodeTarHeader(block);
      switch (header.type) {
        case "x":
        case "X": // Solaris' name for it
          extension = parseExtension(await this.#readData(header), "local", extension);
          continue;
        case "g":
          this.#global = parseExtension(await this.#readData(header), "global", this.#global);
          extension = this.#global;
          continue;
        case "L":
          longName = untilNul(await this.#readData(header));
          continue;
        case "K":
          longLink = untilNul(await this.#readData(header));
          continue;
        case "V": // GNU: name of the volume
          await this.#readData(header);
          continue;
      }
      const named = {
        ...header,
        name: longName ?? header.name,
        linkName: longLink ?? header.linkName,
      };
      return await this.#makeEntry(applyExtension(named, extension), extension, block);
    }
  }

  async #makeEntry(member: Member, extension: Extension, block: Uint8Array): Promise<Entry> {
    const { name, mode, uid, gid, mtime, mtimeNsec } = member;
    const xattrs = findXattrs(extension);
    const path = name.replace(/\/+$/, "");
    const common = { path, mode, uid, gid, mtime, mtimeNsec, ...(xattrs && { xattrs }) };
    switch (member.type) {
      case "\0":
      case "0":
      case "7": // contiguous: a hint nobody takes
        this.#expect(member.size);
        if (path !== name) return { ...common, type: "directory" };
        return { ...common, type: "file", ...await this.#findContent(member.size, extension) };
      case "S": {
        const { extents, size } = await readGnuSparse(block, () => this.#readBlock());
        this.#expect(member.size);
        return { ...common, type: "file", ...this.#sparseContent(extents, size) };
      }
      case "1":
        return { ...common, type: "hardlink", target: member.linkName };
      case "2":
        return { ...common, type: "symlink", target: member.linkName };
      case "3":
      case "4":
        return {
          ...common,
          type: member.type === "3" ? "char" : "block",
          major: member.major,
          minor: member.minor,
        };
      case "D": // GNU incremental: a directory with a list of what is in it
        this.#expect(member.size);
        return { ...common, type: "directory" };
      case "5":
        return { ...common, type: "directory" };
      case "6":
        return { ...common, type: "fifo" };
      default:
        throw new ChError(`unknown member type: ${displayPath(name)}`);
    }
  }

  async #findContent(stored: number, extension: Extension) {
    const map = findText(extension, "GNU.sparse.map");
    const size = findNumber(extension, "GNU.sparse.realsize") ??
      findNumber(extension, "GNU.sparse.size");
    if (findText(extension, "GNU.sparse.major") === "1" && size !== undefined) {
      const { extents, blocks } = await readSparseMap(() => this.#readBlock());
      if (blocks * BLOCK > stored) throw new TarHeaderError("malformed sparse map");
      this.#left -= blocks * BLOCK;
      return this.#sparseContent(extents, size);
    }
    if (map !== undefined && size !== undefined) {
      return this.#sparseContent(parseSparseMap(map), size);
    }
    return { size: stored, content: { chunks: this.#chunks() } };
  }

  #sparseContent(extents: readonly Extent[], size: number) {
    checkExtents(extents, size, this.#left);
    if (size > MAX_SPARSE) throw new TarHeaderError("sparse file too large");
    return { size, content: { chunks: expandSparse(extents, size, this) } };
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    if (this.#left > 0 && this.#left <= SMALL) {
      const size = this.#left;
      const whole = this.#stream.takeNow(size) ?? await this.#stream.take(size);
      this.#left = 0;
      if (whole.length < size) throw this.#truncation();
      yield whole;
    }
    while (this.#left > 0) yield (await this.some(this.#left))!;
  }

  /** For {@linkcode expandSparse}: the next stored bytes of the member. */
  async some(limit: number): Promise<Uint8Array | undefined> {
    const part = await this.#stream.some(Math.min(limit, this.#left));
    if (part === undefined) throw this.#truncation();
    this.#left -= part.length;
    return part;
  }

  #expect(size: number): void {
    if (size < 0) throw new TarHeaderError("negative size");
    this.#left = size;
    this.#padding = (BLOCK - size % BLOCK) % BLOCK;
  }

  async #skipMember(): Promise<void> {
    const size = this.#left + this.#padding;
    this.#left = this.#padding = 0;
    if (this.#stream.takeNow(size) !== undefined) return;
    if (await this.#stream.skip(size) < size) throw this.#truncation();
  }

  /** All the data of an extended header. */
  async #readData(header: TarHeader): Promise<Uint8Array> {
    if (header.size < 0) throw new TarHeaderError("negative size");
    this.#extended += header.size;
    if (this.#extended > MAX_EXTENSION) throw new TarHeaderError("extended header too large");
    const size = header.size + (BLOCK - header.size % BLOCK) % BLOCK;
    const data = this.#stream.takeNow(size) ?? await this.#stream.take(size);
    if (data.length < size) throw this.#truncation();
    return data.slice(0, header.size); // values of it are kept longer than the chunk lasts
  }

  async #readBlock(): Promise<Uint8Array> {
    const block = this.#stream.takeNow(BLOCK) ?? await this.#stream.take(BLOCK);
    if (block.length < BLOCK) throw this.#truncation();
    return block;
  }

  /**
   * Undefined at the archive's end, which is marked by two blocks of zeros; as others do we are content
   * with one. No mark at all means that the rest is missing. What follows is read to its end, so that
   * whoever decompresses or checks the stream sees all of it.
   */
  async #readHeaderBlock(): Promise<Uint8Array | undefined> {
    if (this.#stream.position === 0 && !(await this.#hasBytes())) throw this.#failure("empty file");
    const block = await this.#readBlock();
    if (!isZeroBlock(block)) return block;
    while (await this.#stream.some(Infinity) !== undefined);
    return undefined;
  }

  async #hasBytes(): Promise<boolean> {
    return await this.#stream.some(0) !== undefined;
  }

  #truncation(): ChError {
    return this.#failure("truncated tar archive");
  }

  #failure(reason: string): ChError {
    return new ChError(`cannot open: ${displayOsString(this.#name)}: ${reason}`);
  }
}

function untilNul(data: Uint8Array): string {
  const nul = data.indexOf(0);
  return decodeOsString(nul < 0 ? data : data.subarray(0, nul));
}
