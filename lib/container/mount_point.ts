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
  );
  if (kind !== "directory") throw new ChError(`not a directory: ${given}`);
  return orFail(
    `can't canonicalize: ${given}`,
    () => host.realPath(given) ?? failMissing("realpath", given),
  );
}

/** The default one of USER, made if it does not exist. */
export function makeDefaultMountPoint(user: string, host: Host): string {
  const path = `/var/tmp/${user}.ch/mnt`;
  makeDirectories(path, host);
  return path;
}

function makeDirectories(path: string, host: Host): void {
  const kind = orFail(`can't stat: ${path}`, () => host.stat(path));
  if (kind === "directory") return;
  if (kind !== undefined) throw new ChError(`can't mkdir: exists but not a directory: ${path}`);
  makeDirectories(path.slice(0, path.lastIndexOf("/")) || "/", host);
  try {
    orFail(`can't mkdir: ${path}`, () => host.makeDirectory(path));
  } catch (error) {
    // Another run may have been quicker.
    if (host.stat(path) !== "directory") throw error;
  }
}
