// Completing paths.

import type { World } from "./world.ts";

export interface FileChoice {
  /** Which regular files; none if not given. */
  readonly files?: RegExp;
  readonly directories: boolean;
}

export const ANY_FILE = /(?:)/;
export const DIRECTORIES: FileChoice = { directories: true };
export const ALL_FILES: FileChoice = { files: ANY_FILE, directories: true };

/** Paths that begin with WORD, directories with a slash at the end. */
export function completeFiles(
  word: string,
  { files, directories }: FileChoice,
  world: World,
): string[] {
  if (/^~[^/]*$/.test(word)) return []; // the name of a user, which is the shell's business
  const slash = word.lastIndexOf("/");
  const typed = word.slice(0, slash + 1), beginning = word.slice(slash + 1);
  return world.list(expandTilde(typed, world) || ".").flatMap(({ name, kind }) => {
    if (!name.startsWith(beginning)) return [];
    if (name.startsWith(".") && !beginning.startsWith(".")) return [];
    if (kind === "directory") return directories ? [`${typed}${name}/`] : [];
    return files !== undefined && files.test(name) ? [typed + name] : [];
  });
}

/** `~` and `~user` at the beginning of a path, as shells expand them. */
export function expandTilde(path: string, { environment, homeOf }: World): string {
  const [, user, rest] = /^~([^/]*)(.*)$/s.exec(path) ?? [];
  if (user === undefined) return path;
  const home = user === "" ? environment.get("HOME") : homeOf(user);
  return home === undefined ? path : home + rest;
}
