// Names of archive members as paths in an image.

import { displayOsString } from "../../ffi/os_string.ts";

/** No path of the kernel's has more components. */
export const MAX_DEPTH = 2048;
/** Characters of one component; the kernel counts bytes. */
const MAX_COMPONENT = 255;
/** Of a name in a message: archives have names of any length. */
const MAX_SHOWN = 500;

const HAS_EMPTY_OR_DOT = /(?:^|\/)\.?(?:\/|$)/;

/** For messages. */
export function displayPath(path: string): string {
  return displayOsString(path.length > MAX_SHOWN ? `${path.slice(0, MAX_SHOWN)}…` : path);
}

/** Why a tree cannot have a PATH like this; undefined if it can. */
export function findExcess(path: string): string | undefined {
  if (path.length <= MAX_COMPONENT) return undefined;
  const parts = path.split("/");
  if (parts.length - 1 > MAX_DEPTH) return `more than ${MAX_DEPTH} directories in one another`;
  return parts.some((part) => part.length > MAX_COMPONENT) ? "name too long" : undefined;
}

/** Without empty and "." components: "./a//b/" → "a/b". Leading slashes go too. */
export function normalizePath(name: string): string {
  if (!HAS_EMPTY_OR_DOT.test(name)) return name;
  return name.split("/").filter((part) => part !== "" && part !== ".").join("/");
}

export function hasUpLevel(name: string): boolean {
  return name.includes("..") && name.split("/").includes("..");
}

/** "a/b/c" → ["a/b", "c"]; "c" → ["", "c"] */
export function splitPath(path: string): [parent: string, name: string] {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? ["", path] : [path.slice(0, slash), path.slice(slash + 1)];
}

/** "a/b", "c" → "a/b/c"; "", "c" → "c" */
export function joinPath(parent: string, name: string): string {
  return parent === "" ? name : `${parent}/${name}`;
}

/** Whether PATH is TREE or below it. */
export function isWithin(path: string, tree: string): boolean {
  return tree === "" || path === tree || path.startsWith(`${tree}/`);
}
