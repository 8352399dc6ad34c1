// What the completers of all tools have in common.

import type { Command } from "../options.ts";
import { listSpellings } from "../options.ts";
import { completeFiles, DIRECTORIES, expandTilde } from "./files.ts";
import { type Line, readLine } from "./line.ts";
import { listImages, type World } from "./world.ts";

export interface Request {
  /** Words after the tool's name, to the unfinished one at the cursor. */
  readonly words: readonly string[];
  /** Words behind the cursor. */
  readonly after: readonly string[];
  readonly world: World;
}

/** Candidates for the unfinished word, whole words. None of them need fit: who calls filters. */
export type Completer = (request: Request) => Promise<string[]> | string[];

/** The storage directory: as named anywhere on the line but at the cursor, else by the environment (spec
 * other-tools §1.2). */
export function findStorage({ words, after, world }: Request): string {
  const others = [...words.slice(0, -1), "", ...after];
  const named = others.flatMap((word, index) => {
    const attached = /^(?:--storage=|-s=?(?!$))(.*)$/.exec(word)?.[1];
    if (attached !== undefined) return [attached];
    return word === "-s" || word === "--storage" ? [others[index + 1] ?? ""] : [];
  }).findLast((word) => word !== "");
  const user = world.environment.get("USER") ?? "";
  const path = named ?? (world.environment.get("CH_IMAGE_STORAGE") || `/var/tmp/${user}.ch`);
  return expandTilde(path, world).replace(/(.)\/+$/, "$1");
}

export function imagesOf(request: Request, which: "present" | "deleted" = "present"): string[] {
  return listImages(findStorage(request), which, request.world);
}

/** Every way to write every option. */
export function optionsOf(command: Command): readonly string[] {
  return listSpellings(command);
}

/** Directories; none before anything is typed, where they would be noise (spec other-tools §1.2). */
export function directoriesFor(line: Line, { world }: Request): string[] {
  return line.word === "" ? [] : withPrefix(line, completeFiles(line.word, DIRECTORIES, world));
}

/** CANDIDATES for the value of `--option=VALUE`, as words. */
export function withPrefix({ prefix }: Line, candidates: readonly string[]): string[] {
  return candidates.map((candidate) => prefix + candidate);
}

export { readLine };
