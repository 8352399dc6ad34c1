// Grafts our code into a stock program: appends a segment of entry code and payloads and the segments of
// a second, static program, and gives the file program headers that load all three. The kernel starts
// the entry code, which starts one of the two programs. docs/architecture.md has the picture;
// c/entry/payload.h the layout of our segment.

import {
  type Elf,
  encodeProgramHeaders,
  endOf,
  loads,
  PF_R,
  PF_X,
  PROGRAM_HEADER_SIZE,
  type ProgramHeader,
  PT_GNU_STACK,
  PT_INTERP,
  PT_LOAD,
  PT_PHDR,
  readElf,
  redirect,
  UnfitElfError,
  viewOf,
} from "./elf.ts";

/** The largest page size of the architectures we build for. */
const ALIGNMENT = 0x10000;
const GRAFT_MAGIC = 0x3254464152474843n;
const PAYLOAD_SIZE = 40;
const NAME_SIZE = 20;
const KIND_SCRIPT = 1, KIND_SHIM = 2, KIND_LOADER = 3, KIND_MAP = 4, KIND_PART = 5;

/** What Deno is given to run. Deno parses a module's whole text before V8 does; evaluated text goes to
 * V8 alone, which compiles what is called. */
const LOADER = `(0, eval)(Deno.readTextFileSync(Deno.env.get("CH_SCRIPT")));`;

export interface EntryCode {
  /** Flat code, beginning with struct graft_header. */
  readonly bytes: Uint8Array;
  /** Offset of its first instruction. */
  readonly start: number;
  readonly machine: string;
}

export interface Script {
  readonly text: Uint8Array;
  readonly sourceMap: Uint8Array;
}

export interface Payloads {
  /** Tool's name → its JavaScript; the first one serves names that are none of these. "TOOL.WORD" is the
   * same for one sub-command. */
  readonly scripts: ReadonlyMap<string, Script>;
  readonly shim: Uint8Array;
}

/**
 * The program that starts with ENTRY, carries PAYLOADS, and goes on as PROGRAM or as INIT.
 *
 * @param program dynamically linked, position independent
 * @param init statically linked, position independent
 * @throws UnfitElfError naming what one of them lacks
 */
export function graft(
  program: Uint8Array,
  entry: EntryCode,
  init: Uint8Array,
  payloads: Payloads,
): Uint8Array {
  const elf = readElf(program), initElf = readElf(init);
  checkProgram(elf, entry);
  checkInit(initElf, entry);

  const offset = roundUp(program.length, ALIGNMENT);
  const address = roundUp(endOf(elf), ALIGNMENT);
  const { bytes: segment, tables } = layOut(entry, payloads, elf);
  const initOffset = roundUp(offset + segment.length, ALIGNMENT);
  const initAddress = roundUp(address + segment.length, ALIGNMENT);

  const ourHeaders: ProgramHeader[] = [
    ...elf.programHeaders.filter(({ type }) => type === PT_LOAD || type === PT_GNU_STACK),
    {
      type: PT_LOAD,
      flags: PF_R | PF_X,
      offset,
      address,
      fileSize: segment.length,
      memorySize: segment.length,
      alignment: ALIGNMENT,
    },
    ...loads(initElf).map((header) => ({
      ...header,
      offset: header.offset + initOffset,
      address: header.address + initAddress,
    })),
  ];
  if (ourHeaders.length > MAX_HEADERS) throw new UnfitElfError("too many segments");
  segment.set(encodeProgramHeaders(ourHeaders), tables.ours);
  const programHeaders = elf.programHeaders.map((header) =>
    header.type === PT_PHDR ? { ...header, address: address + tables.program } : header
  );
  segment.set(encodeProgramHeaders(programHeaders), tables.program);

  const view = viewOf(segment);
  view.setBigUint64(8, BigInt(offset), true);
  view.setBigInt64(16, BigInt(-address), true);
  view.setBigUint64(24, BigInt(elf.entry), true);
  view.setUint32(32, tables.program, true);
  view.setUint32(36, programHeaders.length, true);
  view.setBigInt64(40, BigInt(initAddress - address), true);
  view.setBigUint64(48, BigInt(initElf.entry), true);
  view.setUint32(56, Number(viewOf(init).getBigUint64(32, true)), true);
  view.setUint32(60, initElf.programHeaders.length, true);

  const result = new Uint8Array(initOffset + init.length);
  result.set(program);
  result.set(segment, offset);
  result.set(init, initOffset);
  redirect(result, address + entry.start, offset + tables.ours, ourHeaders.length);
  return result;
}

/** Entry code from its linked ELF and its flat image. */
export function readEntryCode(linked: Uint8Array, flat: Uint8Array): EntryCode {
  const elf = readElf(linked);
  if (viewOf(flat).getBigUint64(0, true) !== GRAFT_MAGIC) {
    throw new UnfitElfError("entry code has no graft header at its start");
  }
  return { bytes: flat, start: elf.entry, machine: elf.machine };
}

function checkProgram(elf: Elf, entry: EntryCode): void {
  checkMachine("program", elf, entry);
  if (!elf.isPositionIndependent) throw new UnfitElfError("not position independent (ET_DYN)");
  if (!elf.programHeaders.some((header) => header.type === PT_INTERP)) {
    throw new UnfitElfError("no interpreter (PT_INTERP): not dynamically linked");
  }
  if (!elf.programHeaders.some((header) => header.type === PT_PHDR)) {
    throw new UnfitElfError("no header of headers (PT_PHDR)");
  }
  checkEntry("program", elf);
}

function checkInit(elf: Elf, entry: EntryCode): void {
  checkMachine("init", elf, entry);
  if (!elf.isPositionIndependent) throw new UnfitElfError("init: not position independent");
  if (elf.programHeaders.some((header) => header.type === PT_INTERP)) {
    throw new UnfitElfError("init: has an interpreter (PT_INTERP): not statically linked");
  }
  checkEntry("init", elf);
}

function checkMachine(what: string, elf: Elf, entry: EntryCode): void {
  if (elf.machine !== entry.machine) {
    throw new UnfitElfError(`${what} is for ${elf.machine}, entry code for ${entry.machine}`);
  }
}

function checkEntry(what: string, elf: Elf): void {
  if (loads(elf).length === 0) throw new UnfitElfError(`${what}: no loaded segment (PT_LOAD)`);
  const isInside = loads(elf).some((header) =>
    elf.entry >= header.address && elf.entry < header.address + header.fileSize
  );
  if (!isInside) throw new UnfitElfError(`${what}: entry point lies in no loaded segment`);
}

/** Headers of our own that there is room for. */
const MAX_HEADERS = 24;

/** Our segment, but for what depends on where it and init will lie; TABLES tells where headers go. */
function layOut(
  entry: EntryCode,
  payloads: Payloads,
  elf: Elf,
): { bytes: Uint8Array; tables: { ours: number; program: number } } {
  const items = [
    ...[...payloads.scripts].flatMap(([name, script]) => [
      { kind: name.includes(".") ? KIND_PART : KIND_SCRIPT, name, bytes: script.text },
      { kind: KIND_MAP, name: "", bytes: script.sourceMap },
    ]),
    { kind: KIND_SHIM, name: "", bytes: payloads.shim },
    { kind: KIND_LOADER, name: "", bytes: new TextEncoder().encode(LOADER) },
  ];
  const ours = roundUp(entry.bytes.length, 16);
  const program = ours + MAX_HEADERS * PROGRAM_HEADER_SIZE;
  const tableAt = roundUp(program + elf.programHeaders.length * PROGRAM_HEADER_SIZE, 16);
  const offsets: number[] = [];
  let end = tableAt + items.length * PAYLOAD_SIZE;
  for (const item of items) {
    end = roundUp(end, 4096);
    offsets.push(end);
    end += item.bytes.length;
  }

  const bytes = new Uint8Array(end);
  const view = viewOf(bytes);
  bytes.set(entry.bytes);
  view.setUint32(64, items.length, true);
  view.setUint32(68, tableAt, true);
  items.forEach(({ kind, name, bytes: content }, i) => {
    const at = tableAt + i * PAYLOAD_SIZE;
    view.setBigUint64(at, BigInt(offsets[i]!), true);
    view.setBigUint64(at + 8, BigInt(content.length), true);
    view.setUint32(at + 16, kind, true);
    bytes.set(encodeName(name), at + 20);
    bytes.set(content, offsets[i]!);
  });
  return { bytes, tables: { ours, program } };
}

function encodeName(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length >= NAME_SIZE) throw new TypeError(`name of a script too long: ${name}`);
  return bytes;
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
