// ELF files as far as linking needs them: header, segments, and the dynamic section by address, as the dynamic
// linker reads it (System V ABI, chapters 4 and 5). Section headers are not looked at; strip(1) may remove
// them. Files are hostile: every number is held against the size of the file or a limit.

import { ChError } from "../error.ts";

/** A file to read from. */
export interface ElfSource {
  readonly size: number;
  /** LENGTH bytes from AT; fewer where the file ends. */
  read(at: number, length: number): Uint8Array;
}

/** Processor, word size and byte order; files that differ in it can't be linked with each other. */
export interface ElfKind {
  readonly machine: number;
  readonly is64: boolean;
  readonly isLittleEndian: boolean;
}

export interface Elf {
  readonly kind: ElfKind;
  /** Values of a tag of the dynamic section, in order. */
  dynamic(tag: number): readonly number[];
  /** String at OFFSET of the dynamic string table. */
  text(offset: number): string;
  /** LENGTH bytes at virtual ADDRESS. */
  at(address: number, length: number): DataView;
}

const PT_LOAD = 1, PT_DYNAMIC = 2;
const DT_NULL = 0, DT_STRTAB = 5, DT_STRSZ = 10;
const MAX_SEGMENTS = 1000;
const MAX_DYNAMIC = 1 << 16;
const MAX_STRINGS = 16 << 20;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** What the file is for, linked dynamically or not; undefined if it is no ELF file. */
export function readElfKind(source: ElfSource): ElfKind | undefined {
  const start = source.read(0, 20);
  if (start.length < 20 || String.fromCharCode(...start.subarray(0, 4)) !== "\x7fELF") {
    return undefined;
  }
  const is64 = start[4] === 2, isLittleEndian = start[5] === 1;
  const machine = new DataView(start.buffer, start.byteOffset).getUint16(18, isLittleEndian);
  return { machine, is64, isLittleEndian };
}

/** Undefined if it is no ELF file, or none that is linked dynamically. Throws a ChError for a broken one. */
export function openElf(source: ElfSource): Elf | undefined {
  const kind = readElfKind(source);
  if (kind === undefined) return undefined;
  const { is64, isLittleEndian } = kind;
  const view = (at: number, length: number) => readView(source, at, length);
  const word = is64
    ? (data: DataView, at: number) => toNumber(data.getBigUint64(at, isLittleEndian))
    : (data: DataView, at: number) => data.getUint32(at, isLittleEndian);

  const header = view(0, is64 ? 64 : 52);
  const half = (at: number) => header.getUint16(at, isLittleEndian);
  const table = word(header, is64 ? 32 : 28);
  const size = half(is64 ? 54 : 42), count = half(is64 ? 56 : 44);
  if (count > MAX_SEGMENTS || size < (is64 ? 56 : 32)) throw broken("program headers");

  const segments: Segment[] = [];
  for (let index = 0; index < count; index++) {
    const data = view(table + index * size, size);
    segments.push({
      type: data.getUint32(0, isLittleEndian),
      offset: word(data, is64 ? 8 : 4),
      address: word(data, is64 ? 16 : 8),
      size: word(data, is64 ? 32 : 16),
    });
  }
  const at = (address: number, length: number) => {
    const segment = segments.find(({ type, address: start, size }) =>
      type === PT_LOAD && address >= start && address + length <= start + size
    );
    if (segment === undefined) throw broken("address outside of all segments");
    return view(segment.offset + address - segment.address, length);
  };

  const place = segments.find(({ type }) => type === PT_DYNAMIC);
  if (place === undefined) return undefined;
  const dynamic = readDynamic(view(place.offset, limit(place.size, MAX_DYNAMIC)), is64, word);
  const [strings] = dynamic.get(DT_STRTAB) ?? [], [length] = dynamic.get(DT_STRSZ) ?? [];
  if (strings === undefined || length === undefined) throw broken("no string table");
  const table8 = at(strings, limit(length, MAX_STRINGS));
  return { kind, at, dynamic: (tag) => dynamic.get(tag) ?? [], text: (at) => readText(table8, at) };
}

function readDynamic(
  data: DataView,
  is64: boolean,
  word: (data: DataView, at: number) => number,
): Map<number, number[]> {
  const entry = is64 ? 16 : 8;
  const dynamic = new Map<number, number[]>();
  for (let at = 0; at + entry <= data.byteLength; at += entry) {
    const tag = word(data, at);
    if (tag === DT_NULL) break;
    dynamic.set(tag, [...dynamic.get(tag) ?? [], word(data, at + entry / 2)]);
  }
  return dynamic;
}

function readText(table: DataView, offset: number): string {
  if (offset >= table.byteLength) throw broken("string outside of its table");
  const bytes = new Uint8Array(table.buffer, table.byteOffset + offset, table.byteLength - offset);
  const end = bytes.indexOf(0);
  if (end < 0) throw broken("string without an end");
  return new TextDecoder().decode(bytes.subarray(0, end));
}

function readView(source: ElfSource, at: number, length: number): DataView {
  if (at + length > source.size) throw broken("it ends too early");
  const bytes = source.read(at, length);
  if (bytes.length < length) throw broken("it ends too early");
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Beyond what is exact no file reaches; held against its size later. */
function toNumber(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

function limit(value: number, most: number): number {
  if (value > most) throw broken("a table is too large");
  return value;
}

export function broken(what: string): ChError {
  return new ChError(`broken ELF file: ${what}`);
}
