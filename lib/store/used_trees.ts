// Directories of images that containers run in. Whoever replaces or deletes an image does not take the files
// from under them: their directories are left until the containers have ended, and are not made into
// something else. Seen are the user's own containers on this machine; of others, and of those of
// other nodes that share the storage, nothing is known.

import { renameEntry } from "../../ffi/tree_change.ts";
import { USED } from "./layout.ts";
import { Scratch, type ScratchPlace } from "./scratch.ts";

/** Whether a directory is the root of a container; no if it is not there. */
export type IsUsed = (path: string) => boolean;

/** Looks once, when first asked about a directory that is there. */
export function findUsed(): IsUsed {
  let roots: ReadonlySet<string> | undefined;
  return (path) => {
    const identity = findIdentity(path);
    return identity !== undefined && (roots ??= listRoots()).has(identity);
  };
}

/** TREE (relative to the storage), if anything is there, is going to be removed. If a container runs in it, it is
 * put where a later command removes it when that has ended (lib/store/leftovers.ts). */
export function keepIfUsed(place: ScratchPlace, tree: string, isUsed = findUsed()): void {
  if (!isUsed(`${place.path}/${tree}`)) return;
  const scratch = new Scratch(place);
  renameEntry(place.fd, tree, place.fd, `${scratch.name}/${USED}`);
  scratch.leave();
}

/** What overlays of containers are called: with device and inode of the image below (c/init/overlay.c). */
const OVERLAY = / - overlay ch:(\d+:\d+) /g;

function listRoots(): ReadonlySet<string> {
  const used = new Set<string>();
  const uid = Deno.uid();
  const host = findIdentity("/");
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const process = `/proc/${name}`;
    try {
      // Of others it would be refused, which takes longer than asking.
      if (Deno.statSync(process).uid !== uid) continue;
      const root = findIdentity(`${process}/root`);
      if (root === undefined || root === host) continue;
      used.add(root);
      for (const [, image] of Deno.readTextFileSync(`${process}/mountinfo`).matchAll(OVERLAY)) {
        used.add(image!);
      }
    } catch {
      // It has just ended, or does not let itself be looked at.
    }
  }
  return used;
}

function findIdentity(path: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}:${ino}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
