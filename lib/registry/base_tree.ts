// The tree that the layers of a base image make, as far as is needed to tell what was changed in it:
// names, metadata and digests of content. Nothing is written.

import { applyImageRules } from "../layer/image_rules.ts";
import type { Entry, Source } from "../layer/entry.ts";
import { SILENT_LOG } from "../log/silent_log.ts";
import { Digester } from "../oci/digest.ts";
import { MergedTree } from "../oci/merged_tree.ts";

/** Something in the tree. */
export type BaseEntry =
  | { readonly type: "directory"; readonly mode: number }
  | {
    readonly type: "file";
    readonly mode: number;
    readonly mtime: number;
    readonly mtimeNsec: number;
    readonly size: number;
    readonly digest: string;
    /** The same for all names of a file. */
    readonly inode: number;
  }
  | { readonly type: "symlink"; readonly target: string };

/** By path, parents before what is in them. */
export type BaseTree = ReadonlyMap<string, BaseEntry>;

/** LAYERS are members of archives, the lowest layer first. Throws a ChError if one cannot be read. */
export async function readBaseTree(layers: readonly Source[]): Promise<BaseTree> {
  const tree = new MergedTree();
  const digests = new Map<number, string>();
  let ordinal = 0;
  for (const members of layers) {
    tree.beginLayer();
    const rules = { archive: "layer", label: "", log: SILENT_LOG };
    for await (const entry of applyImageRules(members, rules)) {
      if (entry.type === "file") digests.set(ordinal, await digestContent(entry));
      tree.add(entry);
      ordinal++;
    }
  }
  return collect(tree, digests);
}

export async function digestContent(entry: Entry & { readonly type: "file" }): Promise<string> {
  const digester = new Digester();
  if ("chunks" in entry.content) {
    for await (const chunk of entry.content.chunks) await digester.add(chunk);
  }
  return digester.end();
}

function collect(tree: MergedTree, digests: ReadonlyMap<number, string>): BaseTree {
  const found = new Map<string, BaseEntry>();
  for (const { path, mode } of tree.directories()) found.set(path, { type: "directory", mode });
  for (const [{ entry, ordinal }, names] of tree.inodes()) {
    for (const name of names) {
      if (entry.type === "symlink") found.set(name, { type: "symlink", target: entry.target });
      if (entry.type !== "file") continue;
      const { mode, mtime, mtimeNsec, size } = entry;
      const digest = digests.get(ordinal)!;
      found.set(name, { type: "file", mode, mtime, mtimeNsec, size, digest, inode: ordinal });
    }
  }
  return found;
}
