// The last defence of trees against paths; archives go through image_rules.ts first, which say more.

import { ChError } from "../error.ts";
import { displayPath, findExcess, hasUpLevel, normalizePath } from "./member_path.ts";

/** Throws a ChError unless PATH, of an entry, stays below the root and can be there. */
export function requireSafePath(path: string): void {
  if (path === "") return;
  if (hasUpLevel(path) || normalizePath(path) !== path || path.includes("\0")) {
    throw new ChError(`unsafe name: ${displayPath(path)}`);
  }
  requirePossible(path, path);
}

/** PATH is where NAME leads to. Without a limit to depth, time grows with its square. Throws a ChError. */
export function requirePossible(path: string, name: string): void {
  const excess = findExcess(path);
  if (excess !== undefined) throw new ChError(`can’t write: ${displayPath(name)}: ${excess}`);
}
