// Versions of symbols: which a file wants of each library it needs (.gnu.version_r), and which a library
// has (.gnu.version_d). A version such as GLIBC_2.34 that the library lacks is why the dynamic linker
// says "version `GLIBC_2.34' not found". Formats as in the Linux Standard Base, "Symbol Versioning".

import { broken, type Elf, type ElfKind, type ElfSource, openElf } from "./elf.ts";

export interface WantedVersion {
  /** Soname of the library that should have it. */
  readonly library: string;
  readonly version: string;
}

export interface LinkFacts {
  readonly kind: ElfKind;
  readonly soname: string | undefined;
  /** Sonames of the libraries it needs. */
  readonly needed: readonly string[];
  /** Without those that it can do without (weak). */
  readonly wanted: readonly WantedVersion[];
  /** Empty if its symbols have no versions. */
  readonly provided: ReadonlySet<string>;
}

const DT_NEEDED = 1, DT_SONAME = 14;
const DT_VERDEF = 0x6ffffffc, DT_VERDEFNUM = 0x6ffffffd;
const DT_VERNEED = 0x6ffffffe, DT_VERNEEDNUM = 0x6fffffff;
const FLAG_WEAK = 2;
/** C++ libraries have a few dozen. */
const MAX_RECORDS = 4096;

/** Undefined if it is no dynamically linked ELF file. Throws a ChError for a broken one. */
export function readLinkFacts(source: ElfSource): LinkFacts | undefined {
  const elf = openElf(source);
  if (elf === undefined) return undefined;
  const [soname] = elf.dynamic(DT_SONAME);
  return {
    kind: elf.kind,
    soname: soname === undefined ? undefined : elf.text(soname),
    needed: elf.dynamic(DT_NEEDED).map((offset) => elf.text(offset)),
    wanted: readWanted(elf),
    provided: readProvided(elf),
  };
}

/** struct Verneed: version, count, file, first of its Vernaux, next; struct Vernaux: hash, flags, other, name,
 * next. Both chains are of offsets from the record at hand. */
function readWanted(elf: Elf): WantedVersion[] {
  const [start] = elf.dynamic(DT_VERNEED), [count = 0] = elf.dynamic(DT_VERNEEDNUM);
  const { isLittleEndian: little } = elf.kind;
  const wanted: WantedVersion[] = [];
  if (start === undefined) return wanted;
  const budget = new Budget();
  for (let address = start, index = 0; index < count; index++) {
    budget.spend();
    const need = elf.at(address, 16);
    const library = elf.text(need.getUint32(4, little));
    let auxiliary = address + need.getUint32(8, little);
    for (let left = need.getUint16(2, little); left > 0; left--) {
      budget.spend();
      const data = elf.at(auxiliary, 16);
      const isWeak = (data.getUint16(4, little) & FLAG_WEAK) !== 0;
      if (!isWeak) wanted.push({ library, version: elf.text(data.getUint32(8, little)) });
      auxiliary += data.getUint32(12, little);
    }
    const next = need.getUint32(12, little);
    if (next === 0) break;
    address += next;
  }
  return wanted;
}

/** struct Verdef: version, flags, index, count, hash, first of its Verdaux, next; struct Verdaux: name, next.
 * The first Verdaux names the version itself, others its parents. */
function readProvided(elf: Elf): Set<string> {
  const [start] = elf.dynamic(DT_VERDEF), [count = 0] = elf.dynamic(DT_VERDEFNUM);
  const { isLittleEndian: little } = elf.kind;
  const provided = new Set<string>();
  if (start === undefined) return provided;
  const budget = new Budget();
  for (let address = start, index = 0; index < count; index++) {
    budget.spend();
    const definition = elf.at(address, 20);
    const name = elf.at(address + definition.getUint32(12, little), 8).getUint32(0, little);
    provided.add(elf.text(name));
    const next = definition.getUint32(16, little);
    if (next === 0) break;
    address += next;
  }
  return provided;
}

/** Chains may be circles. */
class Budget {
  #left = MAX_RECORDS;

  spend(): void {
    if (this.#left-- === 0) throw broken("too many symbol versions");
  }
}
