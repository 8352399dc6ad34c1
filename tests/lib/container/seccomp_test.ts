import assert from "node:assert/strict";
import { buildSeccompFilter } from "../../../lib/container/seccomp.ts";
import {
  ARCHITECTURES,
  FAKED,
  FAKED_FOR_DEVICES,
  parseCalls,
} from "../../../lib/container/seccomp_table.ts";

const ALLOW = 0x7fff0000, FAKE = 0x00050000;
const filter = buildSeccompFilter();

interface Call {
  readonly arch: number;
  readonly nr: number;
  readonly args?: readonly bigint[];
  readonly bigEndian?: boolean;
}

/** What the kernel would do: runs the filter on struct seccomp_data. */
function decide({ arch, nr, args = [], bigEndian = false }: Call): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, nr, !bigEndian);
  data.setUint32(4, arch, !bigEndian);
  args.forEach((value, index) => data.setBigUint64(16 + 8 * index, value, !bigEndian));

  const program = new DataView(filter.program.buffer);
  let accumulator = 0;
  for (let at = 0; at * 8 < filter.program.length;) {
    const code = program.getUint16(at * 8, true);
    const k = program.getUint32(at * 8 + 4, true);
    at++;
    switch (code) {
      case 0x20: // BPF_LD | BPF_W | BPF_ABS
        accumulator = data.getUint32(k, !bigEndian);
        break;
      case 0x54: // BPF_ALU | BPF_AND | BPF_K
        accumulator = (accumulator & k) >>> 0;
        break;
      case 0x15: // BPF_JMP | BPF_JEQ | BPF_K
        at += program.getUint8((at - 1) * 8 + (accumulator === k ? 2 : 3));
        break;
      case 0x06: // BPF_RET | BPF_K
        return k;
      default:
        assert.fail(`instruction ${at - 1} has code ${code}`);
    }
  }
  assert.fail("ran over the end");
}

/** Call numbers that an architecture fakes, and those it fakes for devices. */
function numbersOf(column: number) {
  const pick = (table: string) =>
    parseCalls(table).filter(({ numbers }) => numbers[column]! >= 0)
      .map(({ call, numbers }) => ({ call, nr: numbers[column]! }));
  return { always: pick(FAKED), devices: pick(FAKED_FOR_DEVICES) };
}

Deno.test("the table has a number or a dash for every architecture", () => {
  for (const { call, numbers } of parseCalls(FAKED + FAKED_FOR_DEVICES.trimStart())) {
    assert.equal(numbers.length, ARCHITECTURES.length, call);
    assert.ok(numbers.every(Number.isInteger), call);
  }
});

Deno.test("the table has as many calls for each architecture as the contract says", () => {
  const counts = ARCHITECTURES.map((_, column) => numbersOf(column).always.length);
  assert.deepEqual(counts, [13, 27, 27, 15, 15, 15]);
});

ARCHITECTURES.forEach(({ name, token, bigEndian }, column) => {
  const { always, devices } = numbersOf(column);

  Deno.test(`the filter fakes on ${name} exactly the calls of the table`, () => {
    const faked = new Set(always.map(({ nr }) => nr));
    const conditional = new Set(devices.map(({ nr }) => nr));
    for (let nr = 0; nr < 500; nr++) {
      if (conditional.has(nr)) continue;
      const wanted = faked.has(nr) ? FAKE : ALLOW;
      const garbage = [2n ** 64n - 1n, 0x2000n, 0x6000n, 0x2000n];
      assert.equal(decide({ arch: token, nr, bigEndian }), wanted, `call ${nr}`);
      assert.equal(decide({ arch: token, nr, bigEndian, args: garbage }), wanted, `call ${nr}`);
    }
  });

  for (const { call, nr } of devices) {
    Deno.test(`the filter fakes ${call} on ${name} for devices only`, () => {
      const before = call === "mknod" ? [1n] : [1n, 1n];
      for (
        const [mode, wanted] of [
          [0o020644n, FAKE],
          [0o060600n, FAKE],
          // The kernel looks at the lower half only.
          [0o020644n + 2n ** 32n, FAKE],
          [0o010644n, ALLOW],
          [0o140644n, ALLOW],
          [0o100644n, ALLOW],
          [0o000644n, ALLOW],
          [0o160644n, ALLOW],
        ] as const
      ) {
        const args = [...before, mode, 0x2000n];
        const decision = decide({ arch: token, nr, bigEndian, args });
        assert.equal(decision, wanted, `mode ${mode.toString(8)}`);
      }
    });
  }
});

Deno.test("the filter lets unknown architectures and x32 pass", () => {
  const x86 = 0xc000003e;
  for (const nr of [92, 105, 133, 259]) {
    assert.equal(decide({ arch: 0xc00000f3, nr, args: [0n, 0o020000n, 0o020000n] }), ALLOW);
    const x32 = { arch: x86, nr: nr + 0x40000000, args: [0n, 0o020000n, 0o020000n] };
    assert.equal(decide(x32), ALLOW);
  }
});

Deno.test("buildSeccompFilter() counts calls and instructions in its notes", () => {
  assert.equal(filter.notes[0], "seccomp: arch c00000b7: found 14 syscalls");
  const count = filter.program.length / 8;
  assert.equal(filter.notes[6], `seccomp(2) program has ${count} instructions`);
  assert.equal(filter.notes.length, 7 + count);
});
