// The graft on small made-up programs; that a grafted Deno starts is what tests/e2e is for.

import assert from "node:assert/strict";
import { graft, readEntryCode } from "../../tools/graft/graft.ts";
import { readElf, UnfitElfError } from "../../tools/graft/elf.ts";

const LOAD = 1, INTERP = 3, NOTE = 4, PHDR = 6, STACK = 0x6474e551;

interface Shape {
  readonly type?: number;
  readonly machine?: number;
  readonly entry?: number;
  /** Types of the program headers; each load covers 0x1000 bytes of address space. */
  readonly headers?: readonly number[];
}

function makeElf(
  { type = 3, machine = 62, entry = 0x1010, headers = [PHDR, INTERP, LOAD, LOAD, STACK, NOTE] }:
    Shape,
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
  new DataView(flat.buffer).setBigUint64(0, 0x3254464152474843n, true);
  return readEntryCode(makeElf({ entry: 0x20 }), flat);
}

const init = makeElf({ headers: [LOAD, LOAD, STACK] });

const payloads = {
  scripts: new Map([
    ["ch", { text: new Uint8Array([7]), sourceMap: new Uint8Array([70]) }],
    ["ch-image", { text: new Uint8Array([8]), sourceMap: new Uint8Array([80]) }],
    ["ch-image.list", { text: new Uint8Array([9]), sourceMap: new Uint8Array([90]) }],
  ]),
  shim: new Uint8Array([1, 2, 3]),
};

/** A graft onto PROGRAM, and its segment with the words of the header. */
function graftOnto(program: Uint8Array) {
  const result = graft(program, makeEntry(), init, payloads);
  const elf = readElf(result);
  const loaded = elf.programHeaders.filter(({ type }) => type === LOAD);
  const ours = loaded[2]!;
  const segment = result.subarray(ours.offset, ours.offset + ours.fileSize);
  const view = new DataView(segment.buffer, segment.byteOffset);
  return { result, elf, loaded, ours, segment, view };
}

Deno.test("graft() loads its segment and init's above the program's, and starts in its own", () => {
  const { result, elf, loaded, ours } = graftOnto(makeElf({}));
  assert.deepEqual(loaded.map(({ offset, address }) => [offset, address]), [
    [0, 0],
    [0x1000, 0x1000],
    [0x10000, 0x10000],
    [0x20000, 0x20000],
    [0x21000, 0x21000],
  ]);
  assert.equal(elf.entry, ours.address + 0x20);
  assert.deepEqual(result.subarray(0x20000), init);
  assert.ok(elf.programHeaders.some(({ type }) => type === STACK));
});

Deno.test("graft() leaves no interpreter to the kernel", () => {
  const { elf } = graftOnto(makeElf({}));
  assert.ok(elf.programHeaders.every(({ type }) => type === LOAD || type === STACK));
});

Deno.test("graft() tells the entry code where both programs begin", () => {
  const { view, ours } = graftOnto(makeElf({}));
  assert.equal(view.getBigUint64(8, true), BigInt(ours.offset));
  assert.equal(view.getBigInt64(16, true), BigInt(-ours.address));
  assert.equal(view.getBigUint64(24, true), 0x1010n);
  assert.equal(view.getBigInt64(40, true), BigInt(0x20000 - ours.address));
  assert.equal(view.getBigUint64(48, true), 0x1010n);
  assert.equal(view.getUint32(56, true), 64);
  assert.equal(view.getUint32(60, true), 3);
});

Deno.test("graft() keeps the program's own headers, which say where the copy lies", () => {
  const { segment, view, ours } = graftOnto(makeElf({}));
  const at = view.getUint32(32, true), count = view.getUint32(36, true);
  const types = Array.from({ length: count }, (_, i) => view.getUint32(at + i * 56, true));
  assert.deepEqual(types, [PHDR, INTERP, LOAD, LOAD, STACK, NOTE]);
  assert.equal(view.getBigUint64(at + 16, true), BigInt(ours.address + at));
  assert.ok(at + count * 56 < segment.length);
});

Deno.test("graft() puts the payloads where its table says", () => {
  const { segment, view } = graftOnto(makeElf({}));
  const found = Array.from({ length: view.getUint32(64, true) - 1 }, (_, i) => {
    const at = view.getUint32(68, true) + i * 40;
    const offset = Number(view.getBigUint64(at, true));
    const name = segment.subarray(at + 20, at + 40);
    return [
      view.getUint32(at + 16, true),
      new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
      [...segment.subarray(offset, offset + Number(view.getBigUint64(at + 8, true)))],
    ];
  });
  assert.deepEqual(found, [
    [1, "ch", [7]],
    [4, "", [70]],
    [1, "ch-image", [8]],
    [4, "", [80]],
    [5, "ch-image.list", [9]],
    [4, "", [90]],
    [2, "", [1, 2, 3]],
  ]);
});

Deno.test("graft() refuses a script whose name does not fit", () => {
  const script = { text: new Uint8Array(), sourceMap: new Uint8Array() };
  const scripts = new Map([["a-name-of-twenty-chars", script]]);
  assert.throws(
    () => graft(makeElf({}), makeEntry(), init, { ...payloads, scripts }),
    /too long/,
  );
});

Deno.test("graft() leaves the stock program's bytes alone but for three fields of its header", () => {
  const program = makeElf({});
  const { result } = graftOnto(program);
  const differing = [...program.keys()].filter((i) => program[i] !== result[i]);
  assert.ok(differing.every((i) => (i >= 24 && i < 40) || (i >= 56 && i < 58)));
});

const refused: readonly [string, Uint8Array, Uint8Array, RegExp][] = [
  ["what is no ELF", new Uint8Array(100), init, /no ELF magic/],
  ["an executable at a fixed address", makeElf({ type: 2 }), init, /ET_DYN/],
  ["a static program", makeElf({ headers: [PHDR, LOAD, LOAD] }), init, /PT_INTERP/],
  ["a program without segments", makeElf({ headers: [PHDR, INTERP] }), init, /PT_LOAD/],
  ["a program whose headers are not loaded", makeElf({ headers: [INTERP, LOAD] }), init, /PT_PHDR/],
  ["an entry outside", makeElf({ entry: 0x9000 }), init, /program: entry point/],
  ["another machine", makeElf({ machine: 183 }), init, /program is for aarch64/],
  ["an unknown machine", makeElf({ machine: 3 }), init, /unknown machine/],
  ["an init at a fixed address", makeElf({}), makeElf({ type: 2 }), /init: not position/],
  ["an init that is linked dynamically", makeElf({}), makeElf({}), /init: has an interpreter/],
  ["an init for another machine", makeElf({}), makeElf({ machine: 183 }), /init is for aarch64/],
];

for (const [what, program, other, message] of refused) {
  Deno.test(`graft() refuses ${what}`, () => {
    assert.throws(
      () => graft(program, makeEntry(), other, payloads),
      (error) => error instanceof UnfitElfError && message.test(error.message),
    );
  });
}
