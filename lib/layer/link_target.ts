// Targets of links in archives: kept inside the image.

import { normalizePath, splitPath } from "./member_path.ts";

/** Whether TARGET, relative to directory DIR of the image, leads above the image's root. */
export function climbsAboveRoot(dir: string, target: string): boolean {
  let depth = dir === "" || target.startsWith("/") ? 0 : dir.split("/").length;
  for (const part of target.split("/")) {
    if (part === "" || part === ".") continue;
    depth += part === ".." ? -1 : 1;
    if (depth < 0) return true;
  }
  return false;
}

/** The absolute TARGET of the symbolic link at PATH, as seen from the link's own directory. */
export function relativeTarget(path: string, target: string): string {
  const [dir] = splitPath(path);
  const ups = dir === "" ? [] : dir.split("/").map(() => "..");
  const rest = normalizePath(target);
  return [...ups, ...(rest === "" ? [] : [rest])].join("/") || ".";
}

/** Without "." and "..", which must not climb: "a/../b" → "b". */
export function collapsePath(path: string): string {
  const parts: string[] = [];
  for (const part of normalizePath(path).split("/")) {
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}
