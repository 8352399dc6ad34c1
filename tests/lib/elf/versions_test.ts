import assert from "node:assert/strict";
import type { ElfSource } from "../../../lib/elf/elf.ts";
import { readLinkFacts } from "../../../lib/elf/versions.ts";
import { ChError } from "../../../lib/error.ts";

// Whatever runs this test is linked dynamically.
const PROGRAM = "/bin/ls";

function sourceOf(bytes: Uint8Array): ElfSource {
  return { size: bytes.length, read: (at, length) => bytes.slice(at, at + length) };
}

function readProgram(): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(PROGRAM);
}

Deno.test("readLinkFacts() says what a program wants, as objdump does", () => {
  const facts = readLinkFacts(sourceOf(readProgram()))!;
  assert(facts.needed.includes("libc.so.6"), facts.needed.join());
  assert(
    facts.wanted.some(({ library, version }) =>
      library === "libc.so.6" && /^GLIBC_2\.[0-9.]+$/.test(version)
    ),
  );
  assert.equal(facts.provided.size, 0);
});

Deno.test("readLinkFacts() says what a library has", () => {
  const found = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6"].find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false; // another distribution's place
    }
  });
  const facts = readLinkFacts(sourceOf(Deno.readFileSync(found!)))!;
  assert.equal(facts.soname, "libc.so.6");
  assert(facts.provided.has("GLIBC_2.2.5") && facts.provided.has("GLIBC_2.17"));
});

Deno.test("readLinkFacts() has nothing to say of other files", () => {
  for (const text of ["", "#!/bin/sh\n", "\x7fELF", "x".repeat(100)]) {
    assert.equal(readLinkFacts(sourceOf(new TextEncoder().encode(text))), undefined);
  }
});

Deno.test("readLinkFacts() refuses what is broken and comes to an end", () => {
  const whole = readProgram();
  let state = 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  // The tables are at the file's beginning, a flipped bit elsewhere is not looked at.
  const interesting = Math.min(whole.length, 0x3000);
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const bytes = round % 3 === 0 ? whole.slice(0, random(whole.length)) : whole.slice();
    const reach = round % 2 === 0 ? 0x400 : interesting;
    for (let flips = 0; flips < 8; flips++) {
      bytes[random(Math.min(reach, bytes.length))] = random(256);
    }
    try {
      readLinkFacts(sourceOf(bytes));
    } catch (error) {
      assert(error instanceof ChError, String(error));
      refused++;
    }
  }
  assert(refused > 100, `${refused}`);
});

Deno.test("readLinkFacts() refuses records that lead in a circle", () => {
  const facts = (size: number) => readLinkFacts(sourceOf(circle(size)));
  assert.throws(() => facts(0x10000), { message: "broken ELF file: too many symbol versions" });
});

/** A little file whose only Verneed has the greatest number of Vernaux, each of which is its own next. */
function circle(count: number): Uint8Array {
  const bytes = new Uint8Array(0x400), view = new DataView(bytes.buffer);
  const word = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(18, 62, true);
  word(32, 64); // program headers: PT_LOAD for all of it, PT_DYNAMIC
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  view.setUint32(64, 1, true);
  word(64 + 32, bytes.length);
  view.setUint32(120, 2, true);
  word(120 + 8, 0x200);
  word(120 + 32, 0x100);
  const dynamic = [[5, 0x300], [10, 0x10], [0x6ffffffe, 0x100], [0x6fffffff, count]];
  dynamic.forEach(([tag, value], index) => {
    word(0x200 + index * 16, tag!);
    word(0x208 + index * 16, value!);
  });
  view.setUint16(0x102, 0xffff, true);
  view.setUint32(0x108, 0x20, true);
  return bytes;
}
