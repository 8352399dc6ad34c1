// What is left out of a directory that COPY takes: by `.dockerignore`, whose patterns begin at the context, and
// by `--exclude`, whose patterns may as well begin at the directory.

import type { PathFilter } from "./path_filter.ts";
import type { CopySource, SourceTree } from "./source_tree.ts";

export interface Exclusion {
  /** Paths are relative to the source. */
  readonly excludes: (path: string) => boolean;
  /** Whether something below what is left out may be let in. */
  readonly hasExceptions: boolean;
}

export function newExclusion(
  { relative }: Pick<CopySource, "relative">,
  { ignore }: Pick<SourceTree, "ignore">,
  exclude: PathFilter | undefined,
): Exclusion {
  const join = (path: string) => relative === "" ? path : `${relative}/${path}`;
  return {
    excludes: (path) =>
      [ignore, exclude].some((filter) => filter?.excludes(join(path)) === true) ||
      exclude?.excludes(path) === true,
    hasExceptions: ignore?.hasExceptions === true || exclude?.hasExceptions === true,
  };
}
