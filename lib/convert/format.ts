// The formats ch-convert knows, and which one a descriptor means. Told by the text alone, never by what
// exists (spec ch-convert §3). Pure.

import { ChError } from "../error.ts";

/** Formats that are one tree of files. */
export const TREE_FORMATS = ["ch-image", "dir", "squash", "tar"] as const;
/** Formats that are layers and a configuration. */
export const LAYERED_FORMATS = [
  "docker",
  "docker-archive",
  "oci",
  "oci-archive",
  "podman",
] as const;
export const FORMATS = [
  "ch-image",
  "dir",
  "docker",
  "docker-archive",
  "oci",
  "oci-archive",
  "podman",
  "squash",
  "tar",
] as const satisfies readonly (TreeFormat | LayeredFormat)[];

export type TreeFormat = typeof TREE_FORMATS[number];
export type LayeredFormat = typeof LAYERED_FORMATS[number];
export type Format = TreeFormat | LayeredFormat;

/** Formats that are the storage of a builder. */
export const BUILDERS = ["ch-image", "docker", "podman"] as const;
export type Builder = typeof BUILDERS[number];

const GLOBS: readonly (readonly [RegExp, Format])[] = [
  [/\.(sqfs|squash|squashfs|squishy)$/s, "squash"],
  [/\.tar$|\.t.z$|\.tar\...?$|\.(tar\.(bz2|zst)|tbz2|tzst)$/s, "tar"],
  [/^\.?\//s, "dir"],
];
/** In order of preference. */
const PREFERRED: readonly Builder[] = ["ch-image", "podman", "docker"];

/** The format asked for by NAME, or what DESCRIPTOR looks like if that is empty. Throws a ChError. */
export function chooseFormat(
  name: string,
  descriptor: string,
  isPresent: (builder: Builder) => boolean,
): Format {
  const format = name === "" ? inferFormat(descriptor, isPresent) : parseFormat(name);
  if (isBuilder(format) && !isPresent(format)) {
    throw new ChError(`format ${format} invalid: ${format} not found`);
  }
  return format;
}

export function isLayered(format: Format): format is LayeredFormat {
  return LAYERED_FORMATS.some((layered) => layered === format);
}

function parseFormat(name: string): Format {
  const format = FORMATS.find((known) => known === name);
  if (format === undefined) throw new ChError(`invalid format: ${name}`);
  return format;
}

function inferFormat(descriptor: string, isPresent: (builder: Builder) => boolean): Format {
  const format = GLOBS.find(([glob]) => glob.test(descriptor))?.[1] ?? PREFERRED.find(isPresent);
  if (format !== undefined) return format;
  throw new ChError(`descriptor looks like builder storage but no builder found: ${descriptor}`);
}

function isBuilder(format: Format): format is Builder {
  return BUILDERS.some((builder) => builder === format);
}
