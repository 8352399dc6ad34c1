// Layers as one source of entries, without a tree on disk: a first pass over all of them finds out what
// is left of each, a second one hands that on.

import { ChError } from "../error.ts";
import type { Entry, Source } from "../layer/entry.ts";
import { displayPath } from "../layer/member_path.ts";
import { type Inode, MergedTree } from "./merged_tree.ts";

/** Gives a layer's entries, which have been through applyImageRules(), from the start. Called twice. */
export type OpenLayer = (pass: "listing" | "extraction") => Source;

/** LAYERS, the lowest first, put upon one another. All directories come first. Throws ChErrors. */
export async function* mergeLayers(layers: readonly OpenLayer[]): Source {
  const tree = new MergedTree();
  for (const open of layers) {
    tree.beginLayer();
    for await (const entry of open("listing")) tree.add(entry);
  }
  yield* tree.directories();
  const names = tree.inodes();
  const left = new Map([...names.keys()].map((inode) => [inode.ordinal, inode]));
  let ordinal = 0;
  for (const open of layers) {
    for await (const entry of open("extraction")) {
      const inode = left.get(ordinal++);
      if (inode === undefined) continue;
      requireSame(entry, inode);
      const [first, ...others] = names.get(inode) as [string, ...string[]];
      yield { ...entry, path: first };
      for (const path of others) yield { ...entry, path, type: "hardlink", target: first };
    }
  }
}

function requireSame(entry: Entry, { entry: listed }: Inode): void {
  if (entry.path === listed.path && entry.type === listed.type) return;
  throw new ChError(`changed while it was read: ${displayPath(entry.path)}`);
}
