// Where the storage directory is (spec ch-image §4.1). Pure.

import { ChError } from "../error.ts";

export interface StoreLocation {
  /** Argument of --storage. */
  readonly option: string | undefined;
  /** $CH_IMAGE_STORAGE. */
  readonly variable: string | undefined;
  readonly user: string;
  /** Current directory, for a relative option. */
  readonly cwd: string;
}

/** Absolute path, else as given: ".." stays. Throws a ChError if the variable is not absolute. */
export function locateStore({ option, variable, user, cwd }: StoreLocation): string {
  if (option !== undefined) return option.startsWith("/") ? option : joinPath(cwd, option);
  if (variable === undefined) return `/var/tmp/${user}.ch`;
  if (variable.startsWith("/")) return variable;
  throw new ChError(`$CH_IMAGE_STORAGE: not absolute path: ${variable || "."}`);
}

function joinPath(base: string, relative: string): string {
  return relative === "" ? base : `${base === "/" ? "" : base}/${relative}`;
}
