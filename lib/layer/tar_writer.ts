// A tar archive as a sink of entries. The same entries give the same bytes.

import { readDescriptor } from "../../ffi/descriptor.ts";
import { displayOsString, encodeOsString } from "../../ffi/os_string.ts";
import { ChError } from "../error.ts";
import { BufferRing } from "./buffer_ring.ts";
import type { Content, Entry, Sink } from "./entry.ts";
import { formatPaxRecords, formatPaxTime } from "./pax_records.ts";
import { BLOCK, encodeTarHeader, fitsName, fitsOctal, isLonger } from "./tar_header.ts";

export interface TarWriterOptions {
  /** PAX keeps fractions of seconds and extended attributes; GNU is what ch-convert always wrote. */
  readonly format?: "pax" | "gnu";
  /** All of root (0:0), or each entry's own; either way but for what has an `owner`. */
  readonly owner?: "root" | "keep";
  /** Before every name: "./" (the default), or nothing, and no member for the root. */
  readonly prefix?: "./" | "";
  /** Names to go with the numbers of "keep"; none if not given. */
  readonly findNames?: (uid: number, gid: number) => { user: string; group: string };
}

/** Takes the archive's bytes, in order; they are good until it is called once more after the next time. */
export type Output = (bytes: Uint8Array<ArrayBuffer>) => void | Promise<void>;

/** Bytes go out in pieces of this size. */
const PIECE = 1 << 20;
/** The one being filled, the one that is waiting to be taken, and two that are in use. */
const PIECES = 4;
/** GNU tar's default record: archives are multiples of it. */
const RECORD = 20 * BLOCK;
const ROOT = { uid: 0, gid: 0 } as const;
/** "./" itself is the root (spec ch-convert §7.2). */
const PREFIX = "./";

/** Writes an archive, piece by piece, to the function it is given. */
export class TarWriter implements Sink {
  readonly #output: Output;
  readonly #options: TarWriterOptions;
  readonly #prefix: string;
  readonly #ring = new BufferRing(PIECES, PIECE);
  #piece = this.#ring.next();
  #filled = 0;
  #position = 0;
  /** Entries left out: tar has no sockets. */
  readonly skipped = { sockets: 0 };

  constructor(output: Output, options: TarWriterOptions = {}) {
    this.#output = output;
    this.#options = options;
    this.#prefix = options.prefix ?? PREFIX;
  }

  async write(entry: Entry): Promise<void> {
    if (entry.type === "socket") {
      this.skipped.sockets++;
      return;
    }
    if (entry.path === "" && this.#prefix === "") return;
    await this.#writeHeaders(entry);
    if (entry.type === "file") {
      await this.#writeContent(entry.content, entry.size, entry.path);
      await this.#pad(BLOCK);
    }
  }

  async finish(): Promise<void> {
    await this.#put(new Uint8Array(2 * BLOCK));
    await this.#pad(RECORD);
    await this.#flush();
  }

  async #writeHeaders(entry: Entry & { readonly type: Exclude<Entry["type"], "socket"> }) {
    const isKept = this.#options.owner === "keep";
    const { uid, gid } = entry.owner ?? (isKept ? entry : ROOT);
    // Names are the host's: an image's numbers mean something else there.
    const names = entry.owner !== undefined && (uid !== 0 || gid !== 0)
      ? { user: "", group: "" }
      : isKept
      ? this.#options.findNames?.(uid, gid) ?? { user: "", group: "" }
      : { user: "root", group: "root" };
    const isDevice = entry.type === "char" || entry.type === "block";
    const header = {
      name: memberName(entry, this.#prefix),
      mode: entry.mode,
      uid,
      gid,
      size: entry.type === "file" ? entry.size : 0,
      mtime: entry.mtime,
      type: TYPES[entry.type],
      linkName: entry.type === "symlink"
        ? entry.target
        : entry.type === "hardlink"
        ? this.#prefix + entry.target
        : "",
      major: isDevice ? entry.major : 0,
      minor: isDevice ? entry.minor : 0,
      ...names,
    };
    if (this.#options.format === "gnu") {
      if (isLonger(header.linkName, 100)) await this.#putLong("K", header.linkName);
      if (isLonger(header.name, 100)) await this.#putLong("L", header.name);
      // A name split in two would be nonsense to a GNU reader.
      return await this.#put(encodeTarHeader({ ...header, format: "gnu", name: cut(header.name) }));
    }
    const records = paxRecords(entry, header);
    if (records.length > 0) await this.#putExtension(formatPaxRecords(records));
    const fits = {
      ...header,
      name: fitsName(header.name) ? header.name : cut(header.name),
      uid: clampOctal(uid, 8),
      gid: clampOctal(gid, 8),
      size: clampOctal(header.size, 12),
      mtime: clampOctal(header.mtime, 12),
    };
    await this.#put(encodeTarHeader({ ...fits, format: "ustar" }));
  }

  /** GNU: a member whose content is the name. */
  async #putLong(type: "K" | "L", text: string): Promise<void> {
    const data = encodeOsString(text + "\0");
    await this.#put(
      encodeTarHeader({ ...PLAIN, name: "././@LongLink", type, size: data.length, format: "gnu" }),
    );
    await this.#put(data);
    await this.#pad(BLOCK);
  }

  async #putExtension(data: Uint8Array): Promise<void> {
    const header = { ...PLAIN, name: "././@PaxHeader", type: "x", size: data.length };
    await this.#put(encodeTarHeader({ ...header, format: "ustar" }));
    await this.#put(data);
    await this.#pad(BLOCK);
  }

  async #writeContent(content: Content, size: number, path: string): Promise<void> {
    let written = 0;
    if ("fd" in content) written = await this.#copyFromFd(content.fd, size);
    else {
      for await (const chunk of content.chunks) {
        written += chunk.length;
        if (written > size) break;
        await this.#put(chunk);
      }
    }
    if (written !== size) {
      throw new ChError(`file changed while being read: ${displayOsString(path)}`);
    }
  }

  /** Straight into the piece that goes out. */
  async #copyFromFd(fd: number, size: number): Promise<number> {
    let at = 0;
    while (at < size) {
      const room = Math.min(PIECE - this.#filled, size - at);
      const got = readDescriptor(fd, this.#piece.subarray(this.#filled, this.#filled + room), at);
      if (got === 0) break;
      at += got;
      this.#filled += got;
      this.#position += got;
      if (this.#filled === PIECE) await this.#flush();
    }
    return at;
  }

  async #put(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + PIECE - this.#filled);
      this.#piece.set(part, this.#filled);
      at += part.length;
      this.#filled += part.length;
      this.#position += part.length;
      if (this.#filled === PIECE) await this.#flush();
    }
  }

  #pad(unit: number): Promise<void> | undefined {
    const rest = this.#position % unit;
    return rest === 0 ? undefined : this.#put(new Uint8Array(unit - rest));
  }

  async #flush(): Promise<void> {
    if (this.#filled === 0) return;
    const piece = this.#piece.subarray(0, this.#filled);
    this.#piece = this.#ring.next();
    this.#filled = 0;
    await this.#output(piece);
  }
}

const TYPES = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  char: "3",
  block: "4",
  directory: "5",
  fifo: "6",
} as const;

/** Of headers that only carry something for the next one. */
const PLAIN = {
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 0,
  linkName: "",
  major: 0,
  minor: 0,
  user: "root",
  group: "root",
};

type Header = Omit<Parameters<typeof encodeTarHeader>[0], "format">;

function memberName(entry: Entry, prefix: string): string {
  if (entry.path === "") return prefix;
  return prefix + entry.path + (entry.type === "directory" ? "/" : "");
}

/** What the header has no room for, in a fixed order. */
function paxRecords(entry: Entry, header: Header): [string, Uint8Array][] {
  const records: [string, string][] = [];
  if (!fitsName(header.name)) records.push(["path", header.name]);
  if (isLonger(header.linkName, 100)) records.push(["linkpath", header.linkName]);
  if (!fitsOctal(header.size, 12)) records.push(["size", String(header.size)]);
  if (!fitsOctal(header.uid, 8)) records.push(["uid", String(header.uid)]);
  if (!fitsOctal(header.gid, 8)) records.push(["gid", String(header.gid)]);
  if (entry.mtimeNsec !== 0 || !fitsOctal(entry.mtime, 12)) {
    records.push(["mtime", formatPaxTime(entry.mtime, entry.mtimeNsec)]);
  }
  const xattrs = [...entry.xattrs ?? []].sort(([a], [b]) => a < b ? -1 : 1);
  return [
    ...records.map(([key, value]): [string, Uint8Array] => [key, encodeOsString(value)]),
    ...xattrs.map(([key, value]): [string, Uint8Array] => [`SCHILY.xattr.${key}`, value]),
  ];
}

/** To the 100 bytes of a header; the whole is elsewhere. */
function cut(name: string): string {
  const bytes = encodeOsString(name);
  return bytes.length <= 100 ? name : new TextDecoder("latin1").decode(bytes.subarray(0, 100))
    // deno-lint-ignore no-control-regex
    .replace(/[^\x00-\x7f]/g, "_");
}

function clampOctal(value: number, fieldSize: number): number {
  return fitsOctal(value, fieldSize) ? value : 0;
}
