// The 512-byte header of tar archives, all dialects that are about: v7, ustar (POSIX 1003.1-1988), GNU,
// PAX (whose headers are ustar's). Fields, offset and size:
//
//   name 0 100 · mode 100 8 · uid 108 8 · gid 116 8 · size 124 12 · mtime 136 12 · checksum 148 8
//   type 156 1 · link name 157 100 · magic 257 6 · version 263 2 · user 265 32 · group 297 32
//   major 329 8 · minor 337 8 · prefix 345 155 (ustar only: GNU has other things there)
//
// Numbers are octal digits with blanks or NULs around them, or, if the first byte has its highest bit
// set, binary, big-endian and signed (GNU).

import { decodeOsString, encodeOsString } from "../../ffi/os_string.ts";

export const BLOCK = 512;

export interface TarHeader {
  /** OsString, as it stands in the archive. */
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  /** Type flag, e.g. "0"; "\0" of v7 is kept. */
  readonly type: string;
  readonly linkName: string;
  readonly major: number;
  readonly minor: number;
}

/** What {@linkcode encodeTarHeader} wants: user and group have names as well. */
export interface TarHeaderFields extends TarHeader {
  readonly user: string;
  readonly group: string;
  readonly format: "ustar" | "gnu";
}

/** Why a block is no header: for messages. */
export class TarHeaderError extends Error {
  override readonly name = "TarHeaderError";
}

/** Throws TarHeaderError. BLOCK is not all zero. */
export function decodeTarHeader(block: Uint8Array): TarHeader {
  verifyChecksum(block);
  const isGnu = block[262] === SPACE && block[263] === SPACE;
  const isUstar = !isGnu && ascii(block, 257, 5) === "ustar";
  const prefix = isUstar ? readText(block, 345, 155) : "";
  const name = readText(block, 0, 100);
  const type = String.fromCharCode(block[156]!);
  const isDevice = type === "3" || type === "4";
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: readNumber(block, 100, 8, "mode") & 0o7777,
    uid: readNumber(block, 108, 8, "uid"),
    gid: readNumber(block, 116, 8, "gid"),
    size: readNumber(block, 124, 12, "size"),
    mtime: readNumber(block, 136, 12, "mtime"),
    type,
    linkName: readText(block, 157, 100),
    // Elsewhere v7 has whatever was in memory.
    major: isDevice ? readNumber(block, 329, 8, "device number") : 0,
    minor: isDevice ? readNumber(block, 337, 8, "device number") : 0,
  };
}

/** Name and link name must fit, but for a ustar name that can be split in two: {@linkcode fitsName}. */
export function encodeTarHeader(header: TarHeaderFields): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK);
  if (!writeText(block, 0, 100, header.name)) {
    const name = encodeOsString(header.name);
    const split = findSplit(name);
    block.fill(0, 0, 100);
    block.set(name.subarray(split === 0 ? 0 : split + 1).subarray(0, 100), 0);
    block.set(name.subarray(0, split), 345);
  }
  writeNumber(block, 100, 8, header.mode);
  writeNumber(block, 108, 8, header.uid);
  writeNumber(block, 116, 8, header.gid);
  writeNumber(block, 124, 12, header.size);
  writeNumber(block, 136, 12, header.mtime);
  block[156] = header.type.charCodeAt(0);
  writeText(block, 157, 100, header.linkName);
  writeText(block, 257, 8, header.format === "gnu" ? "ustar  \0" : "ustar\x0000");
  writeText(block, 265, 31, header.user);
  writeText(block, 297, 31, header.group);
  if (header.type === "3" || header.type === "4") {
    writeNumber(block, 329, 8, header.major);
    writeNumber(block, 337, 8, header.minor);
  }
  block.fill(SPACE, 148, 156);
  writeOctal(block, 148, 6, sumBytes(block));
  block[154] = 0;
  return block;
}

/** Whether a ustar header has room for this name. */
export function fitsName(name: string): boolean {
  return !isLonger(name, 100) || findSplit(encodeOsString(name)) > 0;
}

/** Whether TEXT has more than so many bytes. */
export function isLonger(text: string, size: number): boolean {
  return text.length > size ||
    (text.length * MAX_UTF8 > size && encodeOsString(text).length > size);
}

/** Whether a field of this size has room for this number in octal. */
export function fitsOctal(value: number, fieldSize: number): boolean {
  return value >= 0 && value < 8 ** (fieldSize - 1);
}

export function isZeroBlock(block: Uint8Array): boolean {
  for (let i = 0; i < block.length; i++) if (block[i] !== 0) return false;
  return true;
}

/** A number field; exported for the sparse maps of GNU headers. */
export function readNumber(block: Uint8Array, at: number, size: number, what: string): number {
  const first = block[at]!;
  const value = first & 0x80 ? readBinary(block, at, size) : readOctal(block, at, size);
  if (value === undefined) throw new TarHeaderError(`malformed ${what}`);
  return value;
}

const SPACE = 0x20;
/** Bytes of one UTF-16 code unit, at most. */
const MAX_UTF8 = 3;

/** Up to the NUL, if there is one. */
function readText(block: Uint8Array, at: number, size: number): string {
  const nul = block.indexOf(0, at);
  const end = nul < 0 || nul > at + size ? at + size : nul;
  return end === at ? "" : decodeOsString(block.subarray(at, end));
}

function ascii(block: Uint8Array, at: number, size: number): string {
  return String.fromCharCode(...block.subarray(at, at + size));
}

/** Blank is 0: old programs left fields empty. */
function readOctal(block: Uint8Array, at: number, size: number): number | undefined {
  const end = at + size;
  while (at < end && block[at] === SPACE) at++;
  let value = 0;
  for (; at < end; at++) {
    const digit = block[at]! - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; at < end; at++) {
    if (block[at] === 0) break;
    if (block[at] !== SPACE) return undefined;
  }
  return value;
}

/** Two's complement; the marker bit is not part of it, the one below is the sign. */
function readBinary(block: Uint8Array, at: number, size: number): number | undefined {
  const isNegative = (block[at]! & 0x40) !== 0;
  let value = isNegative ? block[at]! - 0x100 : block[at]! & 0x7f;
  for (let i = at + 1; i < at + size; i++) {
    value = value * 256 + block[i]!;
    if (!Number.isSafeInteger(value)) return undefined;
  }
  return value;
}

/** So many digits. */
function writeOctal(block: Uint8Array, at: number, digits: number, value: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    block[i] = 0x30 + rest % 8;
    rest = Math.floor(rest / 8);
  }
}

/** What SIZE bytes have room for; false if that is not all. A loop beats the runtime's encoder by far. */
function writeText(block: Uint8Array, at: number, size: number, text: string): boolean {
  const end = Math.min(text.length, size);
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) {
      const bytes = encodeOsString(text);
      block.set(bytes.subarray(0, size), at);
      return bytes.length <= size;
    }
    block[at + i] = code;
  }
  return text.length <= size;
}

function writeNumber(block: Uint8Array, at: number, size: number, value: number): void {
  if (fitsOctal(value, size)) {
    writeOctal(block, at, size - 1, value);
    return;
  }
  let rest = BigInt(value);
  for (let i = at + size - 1; i >= at; i--, rest >>= 8n) block[i] = Number(rest & 0xffn);
  block[at]! |= 0x80;
}

/** A slash that leaves at most 155 bytes before it and 1 to 100 behind it; 0 if there is none. */
function findSplit(name: Uint8Array): number {
  for (let i = Math.max(1, name.length - 101); i < Math.min(156, name.length - 1); i++) {
    if (name[i] === 0x2f) return i;
  }
  return 0;
}

/** Over all bytes, the checksum field counting as blanks. */
function sumBytes(block: Uint8Array): number {
  // Four bytes at a time, in two sums of two each: neither can get beyond 16 bits.
  const view = new DataView(block.buffer, block.byteOffset, BLOCK);
  let pairs = 0;
  for (let at = 0; at < BLOCK; at += 4) {
    const word = view.getUint32(at, true);
    pairs = (pairs + (word & 0xff00ff) + (word >>> 8 & 0xff00ff)) | 0;
  }
  let sum = (pairs & 0xffff) + (pairs >>> 16);
  for (let at = 148; at < 156; at++) sum += SPACE - block[at]!;
  return sum;
}

/** How much less it is if bytes are signed. */
function findSignedExcess(block: Uint8Array): number {
  let high = 0;
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) high += block[at]! >> 7;
  return high * 256;
}

/** Some old programs summed up signed bytes. */
function verifyChecksum(block: Uint8Array): void {
  const stored = readNumber(block, 148, 8, "checksum"), sum = sumBytes(block);
  if (stored === sum || stored === sum - findSignedExcess(block)) return;
  throw new TarHeaderError("wrong checksum");
}
