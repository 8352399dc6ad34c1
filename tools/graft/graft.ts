// Grafts our code into a stock program: appends one segment of entry code and payloads, loads it
// through the program header of a note that nobody needs, and starts there. docs/architecture.md has
// the picture; c/entry/payload.h the layout of the segment.

import {
  type Elf,
  isPositionIndependent,
  type ProgramHeader,
  PT_INTERP,
  PT_LOAD,
  PT_NOTE,
  readElf,
  UnfitElfError,
  writeEntry,
  writeLoadHeader,
} from "./elf.ts";

/** The largest page size of the architectures we build for. */
const ALIGNMENT = 0x10000;
const GRAFT_MAGIC = 0x3154464152474843n;
const PAYLOAD_SIZE = 40;
const NAME_SIZE = 20;
const KIND_SCRIPT = 1, KIND_SHIM = 2, KIND_INIT = 3, KIND_LOADER = 4, KIND_MAP = 5;

/** What Deno is given to run. Deno parses a module's whole text before V8 does; evaluated text goes to
 * V8 alone, which compiles what is called. That is a third of ch-run's own time. */
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
  /** Tool's name → its JavaScript; the first one serves names that are none of these. */
  readonly scripts: ReadonlyMap<string, Script>;
  readonly shim: Uint8Array;
  readonly init: Uint8Array;
}

/**
 * The program that starts with ENTRY and carries PAYLOADS.
 *
 * @throws UnfitElfError naming what PROGRAM lacks
 */
export function graft(program: Uint8Array, entry: EntryCode, payloads: Payloads): Uint8Array {
  const elf = readElf(program);
  const note = findSpareHeader(program, elf);
  if (elf.machine !== entry.machine) {
    throw new UnfitElfError(`program is for ${elf.machine}, entry code for ${entry.machine}`);
  }
  const offset = roundUp(program.length, ALIGNMENT);
  const address = roundUp(
    Math.max(...loads(elf).map((header) => header.address + header.memorySize)),
    ALIGNMENT,
  );
  const segment = buildSegment(entry, payloads, {
    originalEntry: elf.entry - address,
    fileOffset: offset,
  });

  const result = new Uint8Array(offset + segment.length);
  result.set(program);
  result.set(segment, offset);
  writeLoadHeader(result, {
    at: note.at,
    offset,
    address,
    size: segment.length,
    alignment: ALIGNMENT,
  });
  writeEntry(result, address + entry.start);
  return result;
}

/** Entry code from its linked ELF and its flat image. */
export function readEntryCode(linked: Uint8Array, flat: Uint8Array): EntryCode {
  const elf = readElf(linked);
  const magic = new DataView(flat.buffer, flat.byteOffset).getBigUint64(0, true);
  if (magic !== GRAFT_MAGIC) throw new UnfitElfError("entry code has no graft header at its start");
  return { bytes: flat, start: elf.entry, machine: elf.machine };
}

/** The note's header, which must come after every loaded segment: the kernel wants those ascending. */
function findSpareHeader(program: Uint8Array, elf: Elf): ProgramHeader {
  if (!isPositionIndependent(program)) throw new UnfitElfError("not position independent (ET_DYN)");
  const headers = elf.programHeaders;
  if (!headers.some((header) => header.type === PT_INTERP)) {
    throw new UnfitElfError("no interpreter (PT_INTERP): not dynamically linked");
  }
  const lastLoad = headers.findLastIndex((header) => header.type === PT_LOAD);
  if (lastLoad < 0) throw new UnfitElfError("no loaded segment (PT_LOAD)");
  const inside = loads(elf).some((header) =>
    elf.entry >= header.address && elf.entry < header.address + header.fileSize
  );
  if (!inside) throw new UnfitElfError("entry point lies in no loaded segment");
  const note = headers.findLast((header, i) => header.type === PT_NOTE && i > lastLoad);
  if (note === undefined) {
    throw new UnfitElfError("no note (PT_NOTE) after the last loaded segment to replace");
  }
  return note;
}

function loads(elf: Elf): ProgramHeader[] {
  return elf.programHeaders.filter((header) => header.type === PT_LOAD);
}

function buildSegment(
  entry: EntryCode,
  payloads: Payloads,
  place: { originalEntry: number; fileOffset: number },
): Uint8Array {
  const items = [
    ...[...payloads.scripts].flatMap(([name, script]) => [
      { kind: KIND_SCRIPT, name, bytes: script.text },
      { kind: KIND_MAP, name: "", bytes: script.sourceMap },
    ]),
    { kind: KIND_SHIM, name: "", bytes: payloads.shim },
    { kind: KIND_INIT, name: "", bytes: payloads.init },
    { kind: KIND_LOADER, name: "", bytes: new TextEncoder().encode(LOADER) },
  ];
  const tableAt = roundUp(entry.bytes.length, 16);
  const offsets: number[] = [];
  let end = tableAt + items.length * PAYLOAD_SIZE;
  for (const item of items) {
    end = roundUp(end, 4096);
    offsets.push(end);
    end += item.bytes.length;
  }

  const segment = new Uint8Array(end);
  const view = new DataView(segment.buffer);
  segment.set(entry.bytes);
  view.setBigInt64(8, BigInt(place.originalEntry), true);
  view.setBigUint64(16, BigInt(place.fileOffset), true);
  view.setUint32(24, items.length, true);
  view.setUint32(28, tableAt, true);
  items.forEach(({ kind, name, bytes }, i) => {
    const at = tableAt + i * PAYLOAD_SIZE;
    view.setBigUint64(at, BigInt(offsets[i]!), true);
    view.setBigUint64(at + 8, BigInt(bytes.length), true);
    view.setUint32(at + 16, kind, true);
    segment.set(encodeName(name), at + 20);
    segment.set(bytes, offsets[i]!);
  });
  return segment;
}

function encodeName(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length >= NAME_SIZE) throw new TypeError(`name of a script too long: ${name}`);
  return bytes;
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
