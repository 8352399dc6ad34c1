// Whether two ELF files can be linked with each other.

import type { ElfKind } from "./elf.ts";

export function isSameKind(a: ElfKind, b: ElfKind): boolean {
  return a.machine === b.machine && a.is64 === b.is64 && a.isLittleEndian === b.isLittleEndian;
}
