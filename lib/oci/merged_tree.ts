// What comes of layers put upon one another, as a tree in memory: names, types and metadata, but no
// data. It does what TreeWriter and LayeredTree do with a directory, and is tested against them.

import { ChError } from "../error.ts";
import type { Entry } from "../layer/entry.ts";
import { displayPath, MAX_DEPTH, normalizePath, splitPath } from "../layer/member_path.ts";
import { parseWhiteout } from "./whiteout.ts";

type DirectoryEntry = Entry & { readonly type: "directory" };
type LeafEntry = Exclude<Entry, { readonly type: "directory" | "hardlink" }>;

interface Directory {
  readonly kind: "directory";
  /** The layer that it was last mentioned in. */
  layer: number;
  /** Undefined if no layer has an entry for it. */
  entry: DirectoryEntry | undefined;
  readonly children: Map<string, Directory | Leaf>;
}

interface Leaf {
  readonly kind: "leaf";
  readonly layer: number;
  /** One object for all names of a file. */
  readonly inode: Inode;
}

/** What is no directory. */
export interface Inode {
  readonly entry: LeafEntry;
  /** The how manieth entry of all layers it is. */
  readonly ordinal: number;
}

/** Links on the way to one entry; as the kernel has it. */
const MAX_LINKS = 40;

export class MergedTree {
  readonly #root: Directory = newDirectory(0);
  #layer = 0;
  #ordinal = 0;

  /** What is added from now on is above all that was. */
  beginLayer(): void {
    this.#layer++;
  }

  /** Throws a ChError if there is no place for ENTRY. */
  add(entry: Entry): void {
    const ordinal = this.#ordinal++;
    const whiteout = parseWhiteout(entry.path);
    switch (whiteout?.kind) {
      case undefined:
        return this.#put(entry, ordinal);
      case "entry": {
        const [parent, name] = splitPath(whiteout.path);
        const directory = this.#find(parent);
        const gone = directory?.children.get(name);
        if (gone !== undefined && this.#isGone(gone)) directory!.children.delete(name);
        return;
      }
      case "contents": {
        const directory = this.#find(whiteout.path);
        if (directory !== undefined) this.#clear(directory);
        return;
      }
      case "nothing":
        return;
      default:
        whiteout satisfies never;
    }
  }

  /** All directories, parents first, the root as the very first. */
  *directories(): Generator<DirectoryEntry> {
    for (const { path, node } of walk(this.#root, "")) {
      if (node.kind === "directory") yield { ...node.entry ?? IMPLICIT, path };
    }
  }

  /** All else, with all names each has, sorted. */
  inodes(): ReadonlyMap<Inode, readonly string[]> {
    const names = new Map<Inode, string[]>();
    for (const { path, node } of walk(this.#root, "")) {
      if (node.kind === "directory") continue;
      const known = names.get(node.inode);
      if (known === undefined) names.set(node.inode, [path]);
      else known.push(path);
    }
    return names;
  }

  #put(entry: Entry, ordinal: number): void {
    if (entry.path === "") {
      if (entry.type !== "directory") throw new ChError(`root is not a directory: ${entry.type}`);
      this.#root.entry = entry;
      this.#root.layer = this.#layer;
      return;
    }
    const [parent, name] = splitPath(entry.path);
    const directory = this.#require(parent, entry.path);
    if (entry.type === "directory") return this.#putDirectory(entry, directory, name);
    const inode = entry.type === "hardlink"
      ? this.#findTarget(entry.target, entry.path)
      : { entry, ordinal };
    directory.children.set(name, { kind: "leaf", layer: this.#layer, inode });
  }

  #putDirectory(entry: DirectoryEntry, parent: Directory, name: string): void {
    const present = parent.children.get(name);
    const directory = present?.kind === "directory" ? present : newDirectory(this.#layer);
    directory.entry = entry;
    directory.layer = this.#layer;
    parent.children.set(name, directory);
  }

  #findTarget(target: string, path: string): Inode {
    const [parent, name] = splitPath(normalizePath(target));
    const found = this.#find(parent)?.children.get(name);
    if (found?.kind === "leaf") return found.inode;
    const link = `${displayPath(path)} -> ${displayPath(target)}`;
    throw new ChError(`can’t link: ${link}: no such member`);
  }

  /** Takes what lower layers have out of NODE; whether NODE itself is to go. */
  #isGone(node: Directory | Leaf): boolean {
    if (node.kind === "leaf") return node.layer < this.#layer;
    this.#clear(node);
    return node.layer < this.#layer && node.children.size === 0;
  }

  #clear(directory: Directory): void {
    for (const [name, child] of directory.children) {
      if (this.#isGone(child)) directory.children.delete(name);
    }
  }

  #find(path: string): Directory | undefined {
    return this.#walk(path, "find");
  }

  #require(path: string, member: string): Directory {
    const directory = this.#walk(path, "make");
    if (directory !== undefined) return directory;
    throw new ChError(`can’t write: ${displayPath(member)}: its directory can’t be made`);
  }

  /** Where PATH leads if the tree is all there is; what is missing is made, or else undefined. */
  #walk(path: string, missing: "find" | "make"): Directory | undefined {
    const way: Directory[] = [this.#root];
    const left = path.split("/").reverse();
    let links = 0;
    for (let part = left.pop(); part !== undefined; part = left.pop()) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        if (way.length > 1) way.pop();
        continue;
      }
      const here = way.at(-1)!;
      let next = here.children.get(part);
      if (next === undefined) {
        if (missing === "find") return undefined;
        next = newDirectory(this.#layer);
        here.children.set(part, next);
      }
      if (way.length > MAX_DEPTH) return undefined;
      if (next.kind === "directory") way.push(next);
      else if (next.inode.entry.type !== "symlink" || ++links > MAX_LINKS) return undefined;
      else {
        const { target } = next.inode.entry;
        if (target.startsWith("/")) way.length = 1;
        left.push(...target.split("/").reverse());
      }
    }
    return way.at(-1)!;
  }
}

const IMPLICIT: DirectoryEntry = {
  path: "",
  type: "directory",
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: 0,
  mtimeNsec: 0,
};

function newDirectory(layer: number): Directory {
  return { kind: "directory", layer, entry: undefined, children: new Map() };
}

function* walk(
  node: Directory | Leaf,
  path: string,
): Generator<{ readonly path: string; readonly node: Directory | Leaf }> {
  yield { path, node };
  if (node.kind === "leaf") return;
  for (const name of [...node.children.keys()].sort()) {
    yield* walk(node.children.get(name)!, path === "" ? name : `${path}/${name}`);
  }
}
