// Just enough ELF for the graft: reading what it relies on, refusing what lacks it by name.
// ELF-64 object file format; the kernel's side is fs/binfmt_elf.c.

export const PT_LOAD = 1, PT_INTERP = 3, PT_NOTE = 4;
export const PF_R = 4, PF_X = 1;

const HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const ET_DYN = 3;
const MACHINES: Readonly<Record<number, string>> = { 62: "x86_64", 183: "aarch64" };

export interface ProgramHeader {
  /** Where the header itself lies in the file. */
  readonly at: number;
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

export interface Elf {
  readonly machine: string;
  readonly entry: number;
  readonly programHeaders: readonly ProgramHeader[];
}

/** What an ELF lacks that the graft needs. */
export class UnfitElfError extends Error {
  override readonly name = "UnfitElfError";
}

/** Reads header and program headers. Throws UnfitElfError if BYTES are no 64-bit little-endian ELF. */
export function readElf(bytes: Uint8Array): Elf {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
    entry: Number(view.getBigUint64(24, true)),
    programHeaders: Array.from({ length: count }, (_, i) => readHeader(view, tableAt + i * size)),
  };
}

function readHeader(view: DataView, at: number): ProgramHeader {
  return {
    at,
    type: view.getUint32(at, true),
    offset: Number(view.getBigUint64(at + 8, true)),
    address: Number(view.getBigUint64(at + 16, true)),
    fileSize: Number(view.getBigUint64(at + 32, true)),
    memorySize: Number(view.getBigUint64(at + 40, true)),
  };
}

/** Whether the file is position independent (ET_DYN). */
export function isPositionIndependent(bytes: Uint8Array): boolean {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint16(16, true) === ET_DYN;
}

export function writeEntry(bytes: Uint8Array, entry: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(24, BigInt(entry), true);
}

/** Overwrites a program header by one that loads a read-only executable segment. */
export function writeLoadHeader(
  bytes: Uint8Array,
  header: { at: number; offset: number; address: number; size: number; alignment: number },
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(header.at, PT_LOAD, true);
  view.setUint32(header.at + 4, PF_R | PF_X, true);
  [header.offset, header.address, header.address, header.size, header.size, header.alignment]
    .forEach((value, i) => view.setBigUint64(header.at + 8 + i * 8, BigInt(value), true));
}
