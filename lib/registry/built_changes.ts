// What was built on a base image: the difference between the base's layers and the tree there is now, as
// the entries of a layer.

import { readDescriptor } from "../../ffi/descriptor.ts";
import { openFile, readEntry } from "../../ffi/tree.ts";
import { newBreather } from "../breather.ts";
import type { Entry, Source } from "../layer/entry.ts";
import { IMAGE_SKELETON } from "../layer/image_skeleton.ts";
import { isWithin, normalizePath, splitPath } from "../layer/member_path.ts";
import { Digester } from "../oci/digest.ts";
import type { BaseEntry, BaseTree } from "./base_tree.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type FileEntry = Entry & { readonly type: "file" };

const WHITEOUT = ".wh.";
/** Charliecloud's own directory: the tree has it, the base may not. */
const OWN = "ch";
const PIECE = 1 << 20;
/** Milliseconds: layers are uploaded meanwhile. */
const INTERVAL = 2;

export interface Changes {
  /** Paths that are new or different, or hold such. */
  readonly changed: ReadonlySet<string>;
  /** Topmost paths of what is gone. */
  readonly removed: readonly string[];
}

/** What is known without looking at the image. */
export interface Known {
  readonly base: BaseTree;
  /** Digests of the image's own files, which hold as long as size, mode and time are the same. */
  readonly image?: BaseTree | undefined;
  /** Directories that pulling adds to every image, see {@linkcode listAdded}. */
  readonly added: ReadonlySet<string>;
}

/** Compares TREE, the entries below ROOT_FD, with the base. Charliecloud's own directory does not count. */
export async function findChanges(
  { base, image, added }: Known,
  tree: Source,
  rootFd: number,
): Promise<Changes> {
  const changed = new Set<string>();
  const present = new Set<string>();
  const buffer = new Uint8Array(PIECE);
  const breathe = newBreather(INTERVAL);
  for await (const entry of tree) {
    await breathe();
    present.add(entry.path);
    if (isWithin(entry.path, OWN)) continue;
    const known = base.get(entry.path);
    const isSame = known === undefined
      ? isPristine(entry, added)
      : await isUnchanged(entry, known, { base, image }, buffer);
    // A name of a file that is different by its first name is different, too.
    const isOther = entry.type === "hardlink" && changed.has(entry.target);
    if (!isSame || isOther) changed.add(entry.path);
  }
  const missing = [...base.keys()].filter((path) => !present.has(path) && !isWithin(path, OWN));
  const removed = missing.filter((path) => {
    const [parent] = splitPath(path);
    return present.has(parent) && base.get(parent)?.type === "directory" &&
      (parent === "" || !changed.has(parent) || isDirectory(rootFd, parent));
  });
  return { changed, removed };
}

/** The layer with CHANGES: TREE are the same entries once more. */
export async function* readChanges(changes: Changes, tree: Source, rootFd: number): Source {
  const { changed, removed } = changes;
  for await (const entry of tree) {
    if (!changed.has(entry.path) && !isWithin(entry.path, OWN)) continue;
    if (entry.type !== "hardlink" || changed.has(entry.target) || isWithin(entry.target, OWN)) {
      yield entry;
      continue;
    }
    // A layer's links lead to what is in the same layer: this one's file is in the base.
    using file = openFile(rootFd, entry.path);
    const { size, mode, mtime, mtimeNsec } = readEntry(file.fd, "");
    const { path, uid, gid } = entry;
    yield {
      type: "file",
      path,
      uid,
      gid,
      mode: mode & ~0o6000,
      mtime,
      mtimeNsec,
      size,
      content: { fd: file.fd },
    };
  }
  for (const path of removed) {
    const [parent, name] = splitPath(path);
    yield {
      type: "file",
      path: parent === "" ? WHITEOUT + name : `${parent}/${WHITEOUT}${name}`,
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtime: 0,
      mtimeNsec: 0,
      size: 0,
      content: { chunks: NOTHING },
    };
  }
}

const NOTHING: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {},
};

/** Something that every image in storage is given, and that nobody has used. */
function isPristine(entry: Entry, added: ReadonlySet<string>): boolean {
  switch (entry.type) {
    case "directory":
      return added.has(entry.path) && entry.mode === 0o755;
    case "file":
      return entry.size === 0 && IMAGE_SKELETON.files.includes(entry.path);
    default:
      return false;
  }
}

/** Directories that pulling adds: mount points and VOLUMES, with those above. */
export function listAdded(volumes: readonly string[]): ReadonlySet<string> {
  const added = new Set(IMAGE_SKELETON.directories);
  for (const volume of volumes) {
    for (let path = normalizePath(volume); path !== ""; [path] = splitPath(path)) added.add(path);
  }
  return added;
}

async function isUnchanged(
  entry: Entry,
  known: BaseEntry,
  { base, image }: Omit<Known, "added">,
  buffer: Bytes,
): Promise<boolean> {
  switch (entry.type) {
    case "directory":
      return known.type === "directory" && known.mode === entry.mode;
    case "symlink":
      return known.type === "symlink" && known.target === entry.target;
    case "file":
      return known.type === "file" && hasSameMetadata(entry, known) &&
        (findDigest(entry, image) ?? await digestFile(entry, buffer)) === known.digest;
    case "hardlink": {
      const first = base.get(entry.target);
      return known.type === "file" && first?.type === "file" && first.inode === known.inode;
    }
    default:
      return false;
  }
}

function hasSameMetadata(entry: FileEntry, known: BaseEntry & { readonly type: "file" }): boolean {
  // Some file systems have no fractions of seconds.
  const hasSameFraction = entry.mtimeNsec === known.mtimeNsec || entry.mtimeNsec === 0;
  return entry.size === known.size && entry.mode === known.mode &&
    entry.mtime === known.mtime && hasSameFraction;
}

function findDigest(entry: FileEntry, image: BaseTree | undefined): string | undefined {
  const stored = image?.get(entry.path);
  return stored?.type === "file" && hasSameMetadata(entry, stored) ? stored.digest : undefined;
}

async function digestFile({ content, size }: FileEntry, buffer: Bytes): Promise<string> {
  const digester = new Digester();
  if ("fd" in content) {
    for (let at = 0; at < size;) {
      const bytes = buffer.subarray(0, size - at);
      const got = readDescriptor(content.fd, bytes, at);
      if (got === 0) break;
      await digester.add(bytes.subarray(0, got));
      at += got;
    }
  }
  return digester.end();
}

function isDirectory(rootFd: number, path: string): boolean {
  return readEntry(rootFd, path).type === "directory";
}
