// Whiteouts: how a layer says that something of the layers below is gone (OCI image specification,
// layer.md). Pure.

import { splitPath } from "../layer/member_path.ts";

export type Whiteout =
  /** What the layers below have at `path`, with all that is in it. */
  | { readonly kind: "entry"; readonly path: string }
  /** All that they have in the directory `path`, but not the directory itself. */
  | { readonly kind: "contents"; readonly path: string }
  /** Nothing: notes of AUFS to itself, and names that mean nothing. */
  | { readonly kind: "nothing" };

const PREFIX = ".wh.";
const OPAQUE = ".wh..wh..opq";

/** What a layer's entry at PATH says; undefined if it is an entry like others. Only its name counts:
 * some are files, some links. */
export function parseWhiteout(path: string): Whiteout | undefined {
  if (!path.includes(PREFIX)) return undefined;
  const [parent, name] = splitPath(path);
  if (parent.split("/").some((part) => part.startsWith(PREFIX))) return { kind: "nothing" };
  if (!name.startsWith(PREFIX)) return undefined;
  if (name === OPAQUE) return { kind: "contents", path: parent };
  const gone = name.slice(PREFIX.length);
  if (gone.startsWith(PREFIX) || gone === "" || gone === "." || gone === "..") {
    return { kind: "nothing" };
  }
  return { kind: "entry", path: parent === "" ? gone : `${parent}/${gone}` };
}
