// What completion asks of the machine. It only looks: no command is run, and no storage directory made.

import { unmangleName } from "../../lib/reference/reference.ts";
import { DELETED } from "../../lib/cache/layout.ts";
import { IMAGES } from "../../lib/store/layout.ts";

export interface FileEntry {
  readonly name: string;
  /** What a link leads to counts. */
  readonly kind: "file" | "directory";
}

export interface World {
  readonly environment: ReadonlyMap<string, string>;
  /** Regular files and directories in PATH, sorted by name; none if it can't be read. */
  list(path: string): readonly FileEntry[];
  kindOf(path: string): FileEntry["kind"] | undefined;
  /** Home directory of a user. */
  homeOf(user: string): string | undefined;
}

/** References of the images in the storage directory; with "deleted" of those that can be brought back. */
export function listImages(storage: string, which: "present" | "deleted", world: World): string[] {
  return world.list(`${storage}/${which === "present" ? IMAGES : DELETED}`)
    .filter(({ kind }) => kind === (which === "present" ? "directory" : "file"))
    .map(({ name }) => unmangleName(name)).sort();
}

/** This machine. */
export function openWorld(environment: ReadonlyMap<string, string>): World {
  return {
    environment,
    list(path) {
      try {
        return [...Deno.readDirSync(path)].flatMap(({ name, isFile, isDirectory }) => {
          const kind = isDirectory ? "directory" : isFile ? "file" : findKind(`${path}/${name}`);
          // A name that is no text can't be given back.
          return kind === undefined || /[\n\ufffd]/.test(name) ? [] : [{ name, kind }];
        }).sort((a, b) => a.name < b.name ? -1 : 1);
      } catch {
        return []; // whatever the reason, there is nothing to offer
      }
    },
    kindOf: findKind,
    homeOf: findHome,
  };
}

function findKind(path: string): FileEntry["kind"] | undefined {
  try {
    const { isDirectory, isFile } = Deno.statSync(path);
    return isDirectory ? "directory" : isFile ? "file" : undefined;
  } catch {
    return undefined; // not there, or not for us
  }
}

/** Users of /etc/passwd; asking a directory server would keep the user waiting. */
function findHome(user: string): string | undefined {
  const lines = Deno.readTextFileSync("/etc/passwd").split("\n");
  return lines.map((line) => line.split(":")).find(([name]) => name === user)?.[5];
}
