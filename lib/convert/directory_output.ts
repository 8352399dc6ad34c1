// A directory with an image in it as the output of a conversion.

import { copyEntries, type Source } from "../layer/entry.ts";
import { TreeWriter, type TreeWriterOptions } from "../layer/tree_writer.ts";
import type { Log } from "../log/log.ts";
import { type DirectoryPlace, replaceDirectory } from "./replace_directory.ts";

/** Writes SOURCE to PLACE. If it throws, nothing has changed. */
export async function writeDirectory(
  source: Source,
  place: DirectoryPlace,
  options: TreeWriterOptions,
  log: Log,
): Promise<void> {
  await replaceDirectory(place, async (rootFd) => {
    using writer = new TreeWriter(rootFd, options);
    await copyEntries(source, writer);
    const { sockets, devices } = writer.skipped;
    if (sockets > 0) log.warning(`ignored ${sockets} sockets`);
    if (devices > 0) log.verbose(`ignored ${devices} devices`);
    if (writer.lacksXattrs) log.warning("extended attributes not saved: file system has none");
  }, log);
}
