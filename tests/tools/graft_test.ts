// The graft on small made-up programs; that a grafted Deno starts is what tests/e2e is for.

import assert from "node:assert/strict";
import { graft, readEntryCode } from "../../tools/graft/graft.ts";
import { readElf, UnfitElfError } from "../../tools/graft/elf.ts";

const LOAD = 1, INTERP = 3, NOTE = 4;

interface Shape {
  readonly type?: number;
  readonly machine?: number;
  readonly entry?: number;
  /** Types of the program headers; each load covers 0x1000 bytes of address space. */
  readonly headers?: readonly number[];
}

function makeElf(
  { type = 3, machine = 62, entry = 0x1010, headers = [INTERP, LOAD, LOAD, NOTE] }: Shape,
) {
  const bytes = new Uint8Array(0x3000);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, type, true);
  view.setUint16(18, machine, true);
  view.setBigUint64(24, BigInt(entry), true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, headers.length, true);
  let loads = 0;
  headers.forEach((header, i) => {
    const at = 64 + i * 56;
    view.setUint32(at, header, true);
    const place = header === LOAD ? loads++ * 0x1000 : 0x200;
    [place, place, place, 0x1000, 0x1000].forEach((value, k) =>
      view.setBigUint64(at + 8 + k * 8, BigInt(value), true)
    );
  });
  return bytes;
}

function makeEntry() {
  const flat = new Uint8Array(100);
  new DataView(flat.buffer).setBigUint64(0, 0x3154464152474843n, true);
  return readEntryCode(makeElf({ entry: 0x20 }), flat);
}

const payloads = {
  scripts: new Map([
    ["ch", { text: new Uint8Array([7]), sourceMap: new Uint8Array([70]) }],
    ["ch-run", { text: new Uint8Array([8]), sourceMap: new Uint8Array([80]) }],
  ]),
  shim: new Uint8Array([1, 2, 3]),
  init: new Uint8Array([4, 5]),
};

Deno.test("graft() loads one more segment, above and behind everything, and starts in it", () => {
  const program = makeElf({});
  const result = graft(program, makeEntry(), payloads);
  const elf = readElf(result);
  const added = elf.programHeaders.at(-1)!;
  assert.equal(added.type, LOAD);
  assert.equal(added.offset, 0x10000);
  assert.equal(added.address, 0x10000);
  assert.equal(added.offset + added.fileSize, result.length);
  assert.equal(elf.entry, added.address + 0x20);
  const view = new DataView(result.buffer);
  assert.equal(view.getBigInt64(added.offset + 8, true), BigInt(0x1010 - added.address));
  assert.equal(view.getUint32(added.offset + 24, true), 7);
});

Deno.test("graft() puts the payloads where its table says", () => {
  const result = graft(makeElf({}), makeEntry(), payloads);
  const segment = result.subarray(readElf(result).programHeaders.at(-1)!.offset);
  const view = new DataView(segment.buffer, segment.byteOffset);
  const found = [0, 1, 2, 3, 4, 5].map((i) => {
    const at = view.getUint32(28, true) + i * 40;
    const offset = Number(view.getBigUint64(at, true));
    const name = segment.subarray(at + 20, at + 40);
    return [
      view.getUint32(at + 16, true),
      new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
      [...segment.subarray(offset, offset + Number(view.getBigUint64(at + 8, true)))],
    ];
  });
  assert.deepEqual(found, [[1, "ch", [7]], [5, "", [70]], [1, "ch-run", [8]], [5, "", [80]], [
    2,
    "",
    [1, 2, 3],
  ], [3, "", [
    4,
    5,
  ]]]);
});

Deno.test("graft() refuses a script whose name does not fit", () => {
  const script = { text: new Uint8Array(), sourceMap: new Uint8Array() };
  const scripts = new Map([["a-name-of-twenty-chars", script]]);
  assert.throws(() => graft(makeElf({}), makeEntry(), { ...payloads, scripts }), /too long/);
});

Deno.test("graft() leaves the stock program's bytes alone but for the entry and one header", () => {
  const program = makeElf({});
  const result = graft(program, makeEntry(), payloads);
  const differing = [...program.keys()].filter((i) => program[i] !== result[i]);
  const noteAt = 64 + 3 * 56;
  assert.ok(differing.every((i) => (i >= 24 && i < 32) || (i >= noteAt && i < noteAt + 56)));
});

const refused: readonly [string, Uint8Array, RegExp][] = [
  ["what is no ELF", new Uint8Array(100), /no ELF magic/],
  ["an executable at a fixed address", makeElf({ type: 2 }), /ET_DYN/],
  ["a static program", makeElf({ headers: [LOAD, LOAD, NOTE] }), /PT_INTERP/],
  ["a program without segments", makeElf({ headers: [INTERP, NOTE] }), /PT_LOAD/],
  ["a program without a note", makeElf({ headers: [INTERP, LOAD, LOAD] }), /PT_NOTE/],
  ["a note before the segments", makeElf({ headers: [INTERP, NOTE, LOAD, LOAD] }), /PT_NOTE/],
  ["an entry outside", makeElf({ entry: 0x9000 }), /entry point/],
  ["another machine", makeElf({ machine: 183 }), /program is for aarch64/],
  ["an unknown machine", makeElf({ machine: 3 }), /unknown machine/],
];

for (const [what, program, message] of refused) {
  Deno.test(`graft() refuses ${what}`, () => {
    assert.throws(
      () => graft(program, makeEntry(), payloads),
      (error) => error instanceof UnfitElfError && message.test(error.message),
    );
  });
}
