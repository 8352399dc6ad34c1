// The system calls that `--seccomp` fakes, and their numbers by architecture (spec ch-run §8.1).

/** An architecture as the kernel tells it to a filter (AUDIT_ARCH_*). */
export interface Architecture {
  readonly name: string;
  readonly token: number;
  /** Where in an argument's eight bytes the low half is. */
  readonly bigEndian: boolean;
}

/** In the order of the table's columns. */
export const ARCHITECTURES: readonly Architecture[] = [
  { name: "arm64", token: 0xc00000b7, bigEndian: false },
  { name: "arm", token: 0x40000028, bigEndian: false },
  { name: "i386", token: 0x40000003, bigEndian: false },
  { name: "ppc64le", token: 0xc0000015, bigEndian: false },
  { name: "s390x", token: 0x80000016, bigEndian: true },
  { name: "x86-64", token: 0xc000003e, bigEndian: false },
];

/** Numbers of a call, a column each; -1 where the architecture lacks it. */
export interface CallNumbers {
  readonly call: string;
  readonly numbers: readonly number[];
}

/** Each reads: call, then a number or "-" for each architecture. */
export function parseCalls(table: string): CallNumbers[] {
  return table.trim().split("\n").map((line) => {
    const [call, ...numbers] = line.trim().split(/ +/);
    return { call: call!, numbers: numbers.map((word) => word === "-" ? -1 : Number(word)) };
  });
}

/** Faked whatever the arguments. */
export const FAKED = `
  capset       91 185 185 184 185 126
  chown         - 182 182 181 212  92
  chown32       - 212 212   -   -   -
  fchown       55  95  95  95 207  93
  fchown32      - 207 207   -   -   -
  fchownat     54 325 298 289 291 260
  lchown        -  16  16  16 198  94
  lchown32      - 198 198   -   -   -
  kexec_load  104 347 283 268 277 246
  setfsgid    152 139 139 139 216 123
  setfsgid32    - 216 216   -   -   -
  setfsuid    151 138 138 138 215 122
  setfsuid32    - 215 215   -   -   -
  setgid      144  46  46  46 214 106
  setgid32      - 214 214   -   -   -
  setgroups   159  81  81  81 206 116
  setgroups32   - 206 206   -   -   -
  setregid    143  71  71  71 204 114
  setregid32    - 204 204   -   -   -
  setresgid   149 170 170 169 210 119
  setresgid32   - 210 210   -   -   -
  setresuid   147 164 164 164 208 117
  setresuid32   - 208 208   -   -   -
  setreuid    145  70  70  70 203 113
  setreuid32    - 203 203   -   -   -
  setuid      146  23  23  23 213 105
  setuid32      - 213 213   -   -   -
`;

/** Faked only for device files; else executed. */
export const FAKED_FOR_DEVICES = `
  mknod         -  14  14  14  14 133
  mknodat      33 324 297 288 290 259
`;
