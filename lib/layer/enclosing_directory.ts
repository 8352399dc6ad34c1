// Whether an archive is a "tarbomb" (its members go right into the image's root) or has one directory
// around everything, which is then taken off (spec ch-image §11.3, ch-convert §7.5).

import type { Source } from "./entry.ts";
import { normalizePath } from "./member_path.ts";

/** A single one of these is a part of an image, not a wrapping. */
const IMAGE_DIRECTORIES = new Set(["bin", "dev", "etc", "mnt", "proc", "sys", "tmp", "usr"]);

export interface Survey {
  /** The directory around everything; undefined if there is none. */
  readonly enclosing: string | undefined;
  readonly isEmpty: boolean;
}

/** Lists members as far as is needed to know; for most archives two or three of them. */
export async function surveyMembers(members: Source): Promise<Survey> {
  let enclosing: string | undefined;
  let isEmpty = true;
  for await (const { path, type } of members) {
    isEmpty = false;
    const normal = normalizePath(path);
    if (normal === "") continue; // the root itself
    const [top] = normal.split("/", 1);
    const isFile = top === normal && type !== "directory";
    if (isFile || IMAGE_DIRECTORIES.has(top!) || (enclosing ?? top) !== top) {
      return { enclosing: undefined, isEmpty };
    }
    enclosing = top;
  }
  // A member "../x" or an only ".." is refused later, with its name.
  return { enclosing: enclosing === ".." ? undefined : enclosing, isEmpty };
}
