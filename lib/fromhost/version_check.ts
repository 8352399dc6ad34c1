// Whether what was injected can be linked in the image: a program or library of the host may want newer
// versions of symbols than the image's libraries have, and would not start.

import { type ElfKind, type ElfSource } from "../elf/elf.ts";
import { isSameKind } from "../elf/same_kind.ts";
import { type LinkFacts, readLinkFacts } from "../elf/versions.ts";
import { ChError } from "../error.ts";

/** The image's files, as far as asked here. */
export interface ElfFiles {
  withElf<T>(path: string, use: (source: ElfSource) => T): T | undefined;
}

/** A library of the image that lacks what FILE wants of it. */
export interface Misfit {
  readonly file: string;
  readonly library: string;
  /** Path of the library in the image. */
  readonly path: string;
  /** Sorted, oldest first. */
  readonly versions: readonly string[];
}

/** Where libraries are, if no ldconfig told. */
const USUAL_DIRECTORIES = [
  ...["/lib64", "/usr/lib64", "/lib", "/usr/lib"],
  ...["x86_64", "aarch64"].flatMap((cpu) => [
    `/lib/${cpu}-linux-gnu`,
    `/usr/lib/${cpu}-linux-gnu`,
  ]),
];

/**
 * What does not fit among FILES, paths in the image. DIRECTORIES are those of its dynamic linker, in order.
 * A library that is not in the image is none of our business here: it may be bound at run time.
 */
export function findMisfits(
  files: readonly string[],
  directories: readonly string[],
  image: ElfFiles,
): Misfit[] {
  const places = [...new Set([...directories, ...USUAL_DIRECTORIES])];
  const known = new Map<string, Library | undefined>();
  const find = (name: string, kind: ElfKind) => {
    const key = `${name} ${kind.machine} ${kind.is64} ${kind.isLittleEndian}`;
    if (!known.has(key)) known.set(key, findLibrary(name, kind, places, image));
    return known.get(key);
  };
  return files.flatMap((file) => {
    const facts = readFacts(file, image);
    return facts === undefined ? [] : compare(file, facts, find);
  });
}

interface Library {
  readonly path: string;
  readonly provided: ReadonlySet<string>;
}

function compare(
  file: string,
  { kind, wanted }: LinkFacts,
  find: (name: string, kind: ElfKind) => Library | undefined,
): Misfit[] {
  const misfits: Misfit[] = [];
  for (const library of new Set(wanted.map((each) => each.library))) {
    const found = find(library, kind);
    // Of a library without versions the dynamic linker takes any symbol of that name.
    if (found === undefined || found.provided.size === 0) continue;
    const versions = wanted.filter((each) => each.library === library)
      .map(({ version }) => version).filter((version) => !found.provided.has(version));
    if (versions.length === 0) continue;
    const sorted = [...new Set(versions)].sort((a, b) => a.localeCompare(b, "en", NUMERIC));
    misfits.push({ file, library, path: found.path, versions: sorted });
  }
  return misfits;
}

const NUMERIC = { numeric: true } as const;

function findLibrary(
  name: string,
  kind: ElfKind,
  places: readonly string[],
  image: ElfFiles,
): Library | undefined {
  if (name.includes("/")) return undefined;
  for (const place of places) {
    const path = `${place}/${name}`;
    const facts = readFacts(path, image);
    if (facts !== undefined && isSameKind(facts.kind, kind)) {
      return { path, provided: facts.provided };
    }
  }
  return undefined;
}

/** The dynamic linker passes over what is broken. */
function readFacts(path: string, image: ElfFiles): LinkFacts | undefined {
  try {
    return image.withElf(path, readLinkFacts);
  } catch (error) {
    if (error instanceof ChError) return undefined;
    throw error;
  }
}

/** The misfit as a sentence. */
export function describeMisfit({ file, library, path, versions }: Misfit): string {
  return `${file} needs ${versions.join(", ")} of ${library}, which the image's ${path} lacks`;
}

/** What to do about it. */
export function remedyFor({ library, versions }: Misfit): string {
  const newest = versions.findLast((version) => /^GLIBC_[0-9]/.test(version));
  return newest === undefined
    ? `install a newer ${library} in the image, or inject the host's as well`
    : `build the image on a distribution with glibc ${newest.slice("GLIBC_".length)} or newer, ` +
      "or take the file from an older host";
}
