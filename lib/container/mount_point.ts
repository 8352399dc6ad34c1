// Where a SquashFS image is mounted (spec ch-run §6.1). The mount is private to each run, so all runs
// may share the place.

import { ChError } from "../error.ts";
import { failMissing, orFail } from "./failure.ts";
import type { Host } from "./host.ts";

/** The directory GIVEN by the user, canonical; it must exist. */
export function findMountPoint(given: string, host: Host): string {
  const kind = orFail(
    `can't stat mount point: ${given}`,
    () => host.stat(given) ?? failMissing("stat", given),
    "make the directory first, or leave out --mount",
  );
  if (kind !== "directory") throw new ChError(`not a directory: ${given}`);
  return orFail(
    `can't canonicalize: ${given}`,
    () => host.realPath(given) ?? failMissing("realpath", given),
  );
}

/** The default one of USER. */
export function defaultMountPoint(user: string): string {
  return `/var/tmp/${user}.ch/mnt`;
}

/** The directories to make, parents first, so that PATH is one. */
export function listMissingDirectories(path: string, host: Host): string[] {
  const kind = orFail(`can't stat: ${path}`, () => host.stat(path));
  if (kind === "directory") return [];
  if (kind !== undefined) throw new ChError(`can't mkdir: exists but not a directory: ${path}`);
  const parent = path.slice(0, path.lastIndexOf("/")) || "/";
  return [...listMissingDirectories(parent, host), path];
}
