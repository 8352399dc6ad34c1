// What of an image's tree goes into a layer, and as what (spec ch-image §12).

import { displayOsString } from "../../ffi/os_string.ts";
import { ChError } from "../error.ts";
import type { Entry, Source } from "../layer/entry.ts";
import { readTree, type ReadTreeOptions } from "../layer/tree_reader.ts";
import type { Log } from "../log/log.ts";
import { Owners, withOwners } from "../store/owners.ts";
import { PULLED_MANIFEST } from "./pulled_files.ts";

/** What is about this copy of the image, not about the image. */
const PRIVATE = new Set([PULLED_MANIFEST, "ch/git", "ch/git.pickle"]);

/** The tree below ROOT_FD, without what registries have no business with. NAME is for messages. Throws a
 * ChError for what a layer cannot hold. */
export async function* readPushedTree(
  rootFd: number,
  name: string,
  log: Log,
  { lazy = false }: Pick<ReadTreeOptions, "lazy"> = {},
): Source {
  const exclude = (path: string) => PRIVATE.has(path);
  const tree = withOwners(readTree(rootFd, { name, exclude, lazy }), Owners.read(rootFd));
  for await (const entry of tree) {
    const admitted = admit(entry, log);
    if (admitted !== undefined) yield admitted;
  }
}

function admit(entry: Entry, log: Log): Entry | undefined {
  const name = `./${displayOsString(entry.path)}`;
  switch (entry.type) {
    case "fifo":
    case "char":
    case "block":
      throw new ChError(`invalid file type: ${name}`);
    case "socket":
      return undefined;
    case "file":
    case "directory":
      if (entry.mode & 0o4000) log.verbose(`stripping unsafe setuid bit: ${name}`);
      if (entry.mode & 0o2000) log.verbose(`stripping unsafe setgid bit: ${name}`);
      return { ...entry, mode: entry.mode & ~0o6000 };
    case "symlink":
    case "hardlink":
      return entry;
    default:
      return entry satisfies never;
  }
}
