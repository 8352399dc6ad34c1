// Just enough ELF for the graft: reading what it relies on, refusing what lacks it by name.
// ELF-64 object file format; the kernel's side is fs/binfmt_elf.c.

export const PT_LOAD = 1, PT_INTERP = 3, PT_PHDR = 6, PT_GNU_STACK = 0x6474e551;
export const PF_R = 4, PF_X = 1;

const HEADER_SIZE = 64;
export const PROGRAM_HEADER_SIZE = 56;
const ET_DYN = 3;
const MACHINES: Readonly<Record<number, string>> = { 62: "x86_64", 183: "aarch64" };

export interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly alignment: number;
}

export interface Elf {
  readonly machine: string;
  readonly isPositionIndependent: boolean;
  readonly entry: number;
  readonly programHeaders: readonly ProgramHeader[];
}

/** What an ELF lacks that the graft needs. */
export class UnfitElfError extends Error {
  override readonly name = "UnfitElfError";
}

/** Reads header and program headers. Throws UnfitElfError if BYTES are no 64-bit little-endian ELF. */
export function readElf(bytes: Uint8Array): Elf {
  const view = viewOf(bytes);
  if (bytes.length < HEADER_SIZE || view.getUint32(0) !== 0x7f454c46) {
    throw new UnfitElfError("no ELF magic");
  }
  if (bytes[4] !== 2 || bytes[5] !== 1) throw new UnfitElfError("not 64-bit little-endian");
  const machine = MACHINES[view.getUint16(18, true)];
  if (machine === undefined) throw new UnfitElfError("unknown machine");
  const tableAt = Number(view.getBigUint64(32, true));
  const size = view.getUint16(54, true), count = view.getUint16(56, true);
  if (size !== PROGRAM_HEADER_SIZE) throw new UnfitElfError("odd size of program headers");
  if (tableAt + size * count > bytes.length) throw new UnfitElfError("no program headers");
  return {
    machine,
    isPositionIndependent: view.getUint16(16, true) === ET_DYN,
    entry: Number(view.getBigUint64(24, true)),
    programHeaders: Array.from({ length: count }, (_, i) => readHeader(view, tableAt + i * size)),
  };
}

function readHeader(view: DataView, at: number): ProgramHeader {
  const word = (index: number) => Number(view.getBigUint64(at + 8 + index * 8, true));
  return {
    type: view.getUint32(at, true),
    flags: view.getUint32(at + 4, true),
    offset: word(0),
    address: word(1),
    fileSize: word(3),
    memorySize: word(4),
    alignment: word(5),
  };
}

/** The segments that the kernel loads. */
export function loads(elf: Elf): ProgramHeader[] {
  return elf.programHeaders.filter((header) => header.type === PT_LOAD);
}

/** The end of what is loaded. */
export function endOf(elf: Elf): number {
  return Math.max(...loads(elf).map((header) => header.address + header.memorySize));
}

/** HEADERS as they lie in a file. */
export function encodeProgramHeaders(headers: readonly ProgramHeader[]): Uint8Array {
  const bytes = new Uint8Array(headers.length * PROGRAM_HEADER_SIZE);
  const view = viewOf(bytes);
  headers.forEach((header, i) => {
    const at = i * PROGRAM_HEADER_SIZE;
    view.setUint32(at, header.type, true);
    view.setUint32(at + 4, header.flags, true);
    const { offset, address, fileSize, memorySize, alignment } = header;
    [offset, address, address, fileSize, memorySize, alignment]
      .forEach((value, k) => view.setBigUint64(at + 8 + k * 8, BigInt(value), true));
  });
  return bytes;
}

/** Makes the file start at ENTRY and be loaded as the COUNT program headers at offset TABLE say. */
export function redirect(bytes: Uint8Array, entry: number, table: number, count: number): void {
  const view = viewOf(bytes);
  view.setBigUint64(24, BigInt(entry), true);
  view.setBigUint64(32, BigInt(table), true);
  view.setUint16(56, count, true);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
