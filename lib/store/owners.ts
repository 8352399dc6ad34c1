// Whose files are, where an image says otherwise than the disk, on which all of them are the user's
// (`COPY --chown`). The file ch/owners has a line for each, a JSON array:
//
//     [UID, GID, TYPE, SIZE, MTIME, PATH]
//
// A line holds for as long as the entry at PATH has that type, and, directories excepted, size and
// modification time: what was changed, replaced or removed since is the user's, that is root's.

import { readWhole } from "../../ffi/descriptor.ts";
import { findEntry, openFile } from "../../ffi/tree.ts";
import { makeDirectories, putFile, removeTree, renameEntry } from "../../ffi/tree_change.ts";
import { ChError } from "../error.ts";
import type { Entry, EntryType, Owner, Source } from "../layer/entry.ts";
import { readContent } from "../layer/read_content.ts";

export const OWNERS_FILE = "ch/owners";

/** A file in an image may claim any size. */
const MAX_SIZE = 256 * 2 ** 20;
const MAX_ID = 2 ** 32 - 2;

export interface OwnedEntry {
  readonly type: EntryType;
  readonly size: number;
  readonly mtime: number;
}

interface OwnerRecord extends OwnedEntry, Owner {}

/** Owners by path. */
export class Owners {
  readonly #records: Map<string, OwnerRecord>;

  private constructor(records: Map<string, OwnerRecord>) {
    this.#records = records;
  }

  /** Lines that are none are left out: the text may come from anywhere. */
  static parse(text: string): Owners {
    const records = text.split("\n").map(parseLine).filter((line) => line !== undefined);
    return new Owners(new Map(records));
  }

  /** Those of the image whose root directory is ROOT_FD; empty if it has none. Throws a ChError. */
  static read(rootFd: number): Owners {
    try {
      const found = findEntry(rootFd, OWNERS_FILE);
      if (found?.type !== "file") return new Owners(new Map());
      using file = openFile(rootFd, OWNERS_FILE);
      const bytes = readWhole(file.fd, Math.min(found.size, MAX_SIZE));
      return Owners.parse(new TextDecoder().decode(bytes));
    } catch (error) {
      throw new ChError(`can’t read: ${OWNERS_FILE}`, { cause: error });
    }
  }

  /** Those in ENTRY, which is that file. Throws a ChError. */
  static async readFrom(entry: Entry & { readonly type: "file" }): Promise<Owners> {
    return Owners.parse(new TextDecoder().decode(await readContent(entry, MAX_SIZE)));
  }

  get count(): number {
    return this.#records.size;
  }

  /** Whose the entry at PATH is; undefined if there is no record of it that holds. */
  find(path: string, { type, size, mtime }: OwnedEntry): Owner | undefined {
    const record = this.#records.get(path);
    if (record === undefined || record.type !== type) return undefined;
    if (type !== "directory" && (record.size !== size || record.mtime !== mtime)) return undefined;
    return { uid: record.uid, gid: record.gid };
  }

  /** OWNER undefined: the user's again. */
  set(path: string, { type, size, mtime }: OwnedEntry, owner: Owner | undefined): void {
    if (owner === undefined) this.#records.delete(path);
    else this.#records.set(path, { type, size, mtime, uid: owner.uid, gid: owner.gid });
  }

  /** Takes the place of what ROOT_FD has. Throws a ChError. */
  write(rootFd: number, now: Date): void {
    const lines = [...this.#records].map(([path, { uid, gid, type, size, mtime }]) =>
      `${JSON.stringify([uid, gid, type, size, mtime, path])}\n`
    );
    const time = { mtime: Math.floor(now.getTime() / 1000), mtimeNsec: 0 };
    const fresh = `${OWNERS_FILE}.new`;
    try {
      makeDirectories(rootFd, "ch", 0o755);
      removeTree(rootFd, fresh);
      putFile(rootFd, fresh, new TextEncoder().encode(lines.join("")), 0o644, time);
      renameEntry(rootFd, fresh, rootFd, OWNERS_FILE);
    } catch (error) {
      throw new ChError(`can’t write: ${OWNERS_FILE}`, { cause: error });
    }
  }
}

/** SOURCE, with the owners that OWNERS has. */
export async function* withOwners(source: Source, owners: Owners): Source {
  for await (const entry of source) {
    const owner = owners.find(entry.path, { ...entry, size: sizeOf(entry) });
    yield owner === undefined ? entry : { ...entry, owner };
  }
}

/** What counts as an entry's size: that of a file. */
export function sizeOf(entry: Entry): number {
  return entry.type === "file" ? entry.size : 0;
}

const TYPES: readonly unknown[] = ["file", "directory", "symlink"] satisfies EntryType[];

function parseLine(line: string): [string, OwnerRecord] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!Array.isArray(parsed)) return undefined;
  const [uid, gid, type, size, mtime, path] = parsed;
  const isSound = [uid, gid].every((id) => Number.isInteger(id) && id >= 0 && id <= MAX_ID) &&
    TYPES.includes(type) && Number.isSafeInteger(size) && Number.isSafeInteger(mtime) &&
    typeof path === "string";
  return isSound ? [path, { uid, gid, type, size, mtime }] : undefined;
}
