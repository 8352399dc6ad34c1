// A directory as a source of entries: sorted by the bytes of the names, hard links found, nothing but
// regular files ever opened.

import type { Descriptor } from "../../ffi/descriptor.ts";
import { displayOsString } from "../../ffi/os_string.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { listDirectory, openDirectory, openFile, readEntry, readLinkAt } from "../../ffi/tree.ts";
import { readXattrs } from "../../ffi/tree.ts";
import type { DirectoryEntry, Stat } from "../../ffi/tree.ts";
import { ChError } from "../error.ts";
import type { Entry, Source } from "./entry.ts";
import { isPortableXattr } from "./xattr.ts";

export interface ReadTreeOptions {
  /** How messages name the directory, e.g. its path. */
  readonly name?: string;
  /** What to leave out, with all that is below. */
  readonly exclude?: (path: string) => boolean;
  /** user.* and POSIX ACLs come along. */
  readonly xattrs?: boolean;
  /** Files are opened only if their content is looked at, for who wants few of them. They are as large as
   * they were when their directory was listed. */
  readonly lazy?: boolean;
}

/** One directory that is being gone through. */
interface Level {
  readonly directory: Descriptor;
  readonly path: string;
  readonly entries: readonly DirectoryEntry[];
  next: number;
}

/** The tree below ROOTFD, which stays open; its root directory comes first. */
export async function* readTree(rootFd: number, options: ReadTreeOptions = {}): Source {
  const levels: Level[] = [];
  const firstNames = new Map<string, string>();
  try {
    levels.push(openLevel(rootFd, "", "", options));
    yield { ...describe(readEntry(rootFd, ""), ""), ...xattrsOf(rootFd, "", "directory", options) };
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const found = level.entries[level.next++];
      if (found === undefined) {
        levels.pop()!.directory[Symbol.dispose]();
        continue;
      }
      const path = level.path === "" ? found.name : `${level.path}/${found.name}`;
      if (options.exclude?.(path)) continue;
      yield* readOne(level.directory.fd, found, path, firstNames, options);
      if (found.type === "directory") {
        levels.push(openLevel(level.directory.fd, found.name, path, options));
      }
    }
  } finally {
    for (const level of levels) level.directory[Symbol.dispose]();
  }
}

function openLevel(dirFd: number, name: string, path: string, options: ReadTreeOptions): Level {
  return explain(path, options, () => {
    const directory = openDirectory(dirFd, name);
    try {
      return { directory, path, entries: listDirectory(directory.fd), next: 0 };
    } catch (error) {
      directory[Symbol.dispose]();
      throw error;
    }
  });
}

/** One entry; a generator because its file must be closed after it was used. */
function* readOne(
  dirFd: number,
  found: DirectoryEntry,
  path: string,
  firstNames: Map<string, string>,
  options: ReadTreeOptions,
): Generator<Entry> {
  const common = describe(found, path);
  if (found.nlink > 1 && found.type !== "directory") {
    const key = `${found.dev}:${found.ino}`;
    const target = firstNames.get(key);
    if (target !== undefined) return yield { ...common, type: "hardlink", target };
    firstNames.set(key, path);
  }
  const extra = explain(path, options, () => xattrsOf(dirFd, found.name, found.type, options));
  switch (found.type) {
    case "directory":
      return yield { ...common, ...extra };
    case "file": {
      const open = () => explain(path, options, () => openFile(dirFd, found.name));
      if (options.lazy) {
        using content = new LazyContent(open);
        return yield { ...common, ...extra, type: "file", size: found.size, content };
      }
      using file = open();
      // What it is now: it may have grown since the listing.
      const { fd, size } = file;
      return yield { ...common, ...extra, type: "file", size, content: { fd } };
    }
    case "symlink": {
      const target = explain(path, options, () => readLinkAt(dirFd, found.name));
      return yield { ...common, type: "symlink", target };
    }
    case "fifo":
    case "socket":
      return yield { ...common, type: found.type };
    case "char":
    case "block":
      return yield { ...common, type: found.type, major: found.major, minor: found.minor };
    default:
      return found.type satisfies never;
  }
}

/** A file that is open from when somebody asks for it. */
class LazyContent implements Disposable {
  #file: Descriptor | undefined;

  constructor(readonly open: () => Descriptor) {}

  get fd(): number {
    this.#file ??= this.open();
    return this.#file.fd;
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }
}

function describe(stat: Stat, path: string): Entry & { type: "directory" } {
  const { mode, uid, gid, mtime, mtimeNsec } = stat;
  return { path, type: "directory", mode, uid, gid, mtime, mtimeNsec };
}

function xattrsOf(
  dirFd: number,
  name: string,
  type: Stat["type"],
  options: ReadTreeOptions,
): { xattrs?: ReadonlyMap<string, Uint8Array> } {
  if (!options.xattrs || (type !== "file" && type !== "directory")) return {};
  const all = [...readXattrs(dirFd, name)].filter(([key]) => isPortableXattr(key));
  return all.length === 0 ? {} : { xattrs: new Map(all) };
}

function explain<T>(path: string, { name = "" }: ReadTreeOptions, look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const where = [name, path].filter((part) => part !== "").join("/");
    throw new ChError(`can’t read: ${displayOsString(where)}`, { cause: error });
  }
}
