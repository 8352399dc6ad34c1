// How an output is to be written: what was asked for, held against what its format can. Pure.

import { ChError } from "../error.ts";
import { type Compressor, type LevelRange, LEVELS, requireLevel } from "../layer/compress.ts";
import { SQUASHFS_LEVELS, type SquashfsCompression } from "../squashfs/compression.ts";
import type { Format } from "./format.ts";

/** As the user said it; undefined where nothing was said. */
export interface OutputWishes {
  readonly compression?: string | undefined;
  readonly level?: number | undefined;
  /** In bytes. */
  readonly blockSize?: number | undefined;
  readonly owner?: "root" | "keep" | undefined;
}

interface Common {
  readonly level: number | undefined;
  readonly owner: "root" | "keep";
}

export type SquashOptions = Common & {
  readonly compression: SquashfsCompression | undefined;
  readonly blockSize: number | undefined;
};
export type TarOptions = Common & { readonly compression: Compressor };
/** Undefined: layers that are there stay as they are. */
export type LayerCompression = "gzip" | "zstd" | "none" | undefined;
export type LayeredOptions = Common & { readonly compression: LayerCompression };

/** Throws a ChError if WISHES are not for this format. */
export function chooseSquashOptions(wishes: OutputWishes): SquashOptions {
  const { compression, level } = choose("squash", wishes, SQUASHFS_LEVELS, "zstd");
  const { blockSize, owner = "root" } = wishes;
  if (blockSize !== undefined && !isBlockSize(blockSize)) {
    throw new ChError(`not a block size: ${blockSize}`, {
      hint: "blocks have 4096 bytes or twice, four times … as much, up to 1 MiB",
    });
  }
  return {
    compression: wishes.compression === undefined ? undefined : compression,
    level,
    blockSize,
    owner,
  };
}

/** PATH names the compression if nothing else does. Throws a ChError. */
export function chooseTarOptions(path: string, wishes: OutputWishes): TarOptions {
  refuse("tar", { blockSize: wishes.blockSize });
  const named = NAMES.find(([name]) => name.test(path))?.[1];
  if (wishes.compression === undefined && named === undefined) {
    throw new ChError("only gzipped tar output (.tar.gz or .tgz) supported", {
      hint: "or .tar.bz2, .tar.xz, .tar.zst; other names need --comp",
    });
  }
  const { compression, level } = choose("tar", wishes, TAR_LEVELS, named ?? "gzip");
  return { compression, level, owner: wishes.owner ?? "keep" };
}

/** Throws a ChError. */
export function chooseLayeredOptions(format: Format, wishes: OutputWishes): LayeredOptions {
  refuse(format, { blockSize: wishes.blockSize });
  const isOci = format === "oci" || format === "oci-archive";
  const { compression, level } = isOci
    ? choose(format, wishes, OCI_LEVELS, "gzip")
    : choose(format, wishes, { none: NO_LEVEL }, "none");
  const owner = wishes.owner ?? "root";
  return {
    compression: isOci && wishes.compression === undefined ? undefined : compression,
    level,
    owner,
  };
}

/** For formats that there is nothing to choose for. */
export function refuseWishes(format: Format, wishes: OutputWishes): void {
  refuse(format, wishes);
}

const NO_LEVEL = undefined;
const TAR_LEVELS: Readonly<Record<Compressor, LevelRange | undefined>> = {
  ...LEVELS,
  none: NO_LEVEL,
};
const OCI_LEVELS = { gzip: LEVELS.gzip, zstd: LEVELS.zstd, none: NO_LEVEL } as const;

/** The end of an archive's name tells how it is compressed (spec ch-convert §5; for gzip, as ever). */
const NAMES: readonly (readonly [RegExp, Compressor])[] = [
  [/\.(tar\.gz|tgz)$/s, "gzip"],
  [/\.(tar\.bz2?|tbz2?)$/s, "bzip2"],
  [/\.(tar\.xz|txz)$/s, "xz"],
  [/\.(tar\.zst|tzst)$/s, "zstd"],
];

function choose<Name extends string>(
  format: Format,
  { compression: wanted, level }: OutputWishes,
  levels: Readonly<Record<Name, LevelRange | undefined>>,
  usual: Name,
): { readonly compression: Name; readonly level: number | undefined } {
  const names = Object.keys(levels) as Name[];
  const compression = wanted === undefined ? usual : names.find((name) => name === wanted);
  if (compression === undefined) {
    // Linux has dropped it, so nobody but our reader and old tools could read such an image.
    const isForReading = format === "squash" && wanted === "lzma";
    const reason = isForReading ? "images with lzma can be read, but not written; " : "";
    throw new ChError(`format ${format} can’t be compressed with ${wanted}`, {
      hint: `${reason}choose one of: ${names.join(" ")}`,
    });
  }
  const range = levels[compression];
  if (level === undefined) return { compression, level };
  if (range === undefined) throw new ChError(`compression ${compression} has no levels`);
  requireLevel(compression, level, range);
  return { compression, level };
}

function refuse(format: Format, wishes: OutputWishes): void {
  const [given] = Object.keys(wishes).filter((key) =>
    wishes[key as keyof OutputWishes] !== undefined
  );
  if (given === undefined) return;
  throw new ChError(`format ${format} has no choice of ${WORDS[given as keyof OutputWishes]}`);
}

const WORDS = {
  compression: "compression",
  level: "compression level",
  blockSize: "block size",
  owner: "owner",
} as const satisfies Record<keyof OutputWishes, string>;

function isBlockSize(size: number): boolean {
  return Number.isInteger(Math.log2(size)) && size >= 4096 && size <= 2 ** 20;
}
