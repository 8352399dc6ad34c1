// The seccomp filter that lets `apt-get` and its like believe they are root: calls that need privilege
// do nothing and succeed (spec ch-run §8.1). A classic BPF program; the kernel runs it at each call.
//
//     arch == arm64? ──no──▶ arch == arm? ──no──▶ … ──no──▶ allow
//       │ yes
//     nr == capset? ─yes─▶ fake    …    nr == mknodat? ─yes─▶ device? ─yes─▶ fake
//       │ no                              │ no                  │ no
//       └────────────────────────────────▶ allow ◀──────────────┘
//
// All architectures are in one program, because a process may execute a file of another one.

import {
  type Architecture,
  ARCHITECTURES,
  FAKED,
  FAKED_FOR_DEVICES,
  parseCalls,
} from "./seccomp_table.ts";

export interface SeccompFilter {
  /** struct sock_filter[], little endian. */
  readonly program: Uint8Array;
  /** What `-vv` shows. */
  readonly notes: readonly string[];
}

export function buildSeccompFilter(): SeccompFilter {
  const always = parseCalls(FAKED);
  const devices = parseCalls(FAKED_FOR_DEVICES);
  const instructions: Instruction[] = [];
  const notes: string[] = [];

  ARCHITECTURES.forEach((architecture, column) => {
    const numbers = always.map((call) => call.numbers[column]!).filter((number) => number >= 0);
    const mknod = devices.flatMap(({ call, numbers }) =>
      numbers[column]! < 0 ? [] : [{
        number: numbers[column]!,
        // mknod(path, mode, dev), mknodat(dirfd, path, mode, dev)
        mode: call === "mknod" ? 1 : 2,
      }]
    );
    instructions.push(...buildBlock(architecture, numbers, mknod));
    const hex = architecture.token.toString(16);
    notes.push(`seccomp: arch ${hex}: found ${numbers.length + mknod.length} syscalls`);
  });
  instructions.push(...returnValue(ALLOW));

  notes.push(`seccomp(2) program has ${instructions.length} instructions`);
  instructions.forEach((i, at) => {
    notes.push(`${at}: { op=${hex(i.code)} k=${hex(i.k)} jt=${i.jt} jf=${i.jf} }`);
  });
  return { program: packInstructions(instructions), notes };
}

/** struct sock_filter: jt and jf are how many instructions to skip. */
interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

interface DeviceCall {
  readonly number: number;
  /** Index of the argument that holds the file mode. */
  readonly mode: number;
}

const LOAD = 0x20, JUMP_IF_EQUAL = 0x15, AND = 0x54, RETURN = 0x06;

// struct seccomp_data
const NR_AT = 0, ARCH_AT = 4, ARGS_AT = 16;

const ALLOW = 0x7fff0000;
/** SECCOMP_RET_ERRNO with errno 0: the call is not made and returns 0. */
const FAKE = 0x00050000;

const S_IFMT = 0o170000, S_IFCHR = 0o020000, S_IFBLK = 0o060000;

/** Decides all calls of one architecture; goes on after its end for every other one. */
function buildBlock(
  architecture: Architecture,
  always: readonly number[],
  devices: readonly DeviceCall[],
): Instruction[] {
  // Backwards, so that the distance to the common ends is known: …, allow, fake.
  const block: Instruction[] = [...returnValue(ALLOW), ...returnValue(FAKE)];
  const toFake = () => block.length - 1;
  const toAllow = () => block.length - 2;
  for (const { number, mode } of [...devices].reverse()) {
    block.unshift(jumpIfEqual(S_IFBLK, toFake(), toAllow()));
    block.unshift(jumpIfEqual(S_IFCHR, toFake(), 0));
    block.unshift({ code: AND, jt: 0, jf: 0, k: S_IFMT });
    block.unshift(load(ARGS_AT + 8 * mode + (architecture.bigEndian ? 4 : 0)));
    block.unshift(jumpIfEqual(number, 0, 4));
  }
  for (const number of [...always].reverse()) block.unshift(jumpIfEqual(number, toFake(), 0));
  block.unshift(load(NR_AT));
  block.unshift(jumpIfEqual(architecture.token, 0, block.length));
  block.unshift(load(ARCH_AT));
  return block;
}

function load(offset: number): Instruction {
  return { code: LOAD, jt: 0, jf: 0, k: offset };
}

function jumpIfEqual(k: number, jt: number, jf: number): Instruction {
  if (jt > 255 || jf > 255) throw new RangeError("jump longer than a byte");
  return { code: JUMP_IF_EQUAL, jt, jf, k };
}

function returnValue(k: number): Instruction[] {
  return [{ code: RETURN, jt: 0, jf: 0, k }];
}

function packInstructions(instructions: readonly Instruction[]): Uint8Array {
  const program = new Uint8Array(instructions.length * 8);
  const view = new DataView(program.buffer);
  instructions.forEach(({ code, jt, jf, k }, index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k, true);
  });
  return program;
}

function hex(value: number): string {
  return value.toString(16);
}
