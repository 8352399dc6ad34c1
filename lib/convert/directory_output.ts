// A directory as the output of a conversion. It grows beside its place and takes it when it is complete,
// except that an empty directory that is there already is filled where it is.

import { displayOsString } from "../../ffi/os_string.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { listDirectory, openDirectory, openRoot } from "../../ffi/tree.ts";
import { makeDirectory, removeFile, removeTree, renameEntry } from "../../ffi/tree_change.ts";
import { ChError } from "../error.ts";
import { copyEntries, type Source } from "../layer/entry.ts";
import { TreeWriter, type TreeWriterOptions } from "../layer/tree_writer.ts";
import type { Log } from "../log/log.ts";
import { splitFilePath } from "./file_path.ts";
import type { PresentDirectory } from "./output_check.ts";
import { temporaryName } from "./temporary_name.ts";

/** Writes SOURCE to the directory PATH, where PRESENT is now. If it throws, nothing has changed. */
export async function writeDirectory(
  source: Source,
  path: string,
  present: PresentDirectory,
  options: TreeWriterOptions,
  log: Log,
): Promise<void> {
  if (present === "empty") {
    log.info(`using empty directory: ${path}`);
    return await fillEmpty(source, path, options, log);
  }
  if (present !== "nothing") log.info(`deleting existing image: ${path}`);
  const [parent, name] = splitFilePath(path);
  if (name === "..") throw new ChError(`can’t replace: ${displayOsString(path)}`);
  const temporary = temporaryName(name);
  using directory = openRoot(parent);
  makeDirectory(directory.fd, temporary, 0o777 & ~Deno.umask());
  try {
    using root = openDirectory(directory.fd, temporary);
    await fill(source, root.fd, options, log);
    removePresent(directory.fd, name, present, path);
    renameEntry(directory.fd, temporary, directory.fd, name);
  } catch (error) {
    removeTree(directory.fd, temporary);
    throw error;
  }
}

async function fillEmpty(source: Source, path: string, options: TreeWriterOptions, log: Log) {
  using root = openRoot(path);
  try {
    await fill(source, root.fd, options, log);
  } catch (error) {
    for (const { name } of listDirectory(root.fd)) removeTree(root.fd, name);
    throw error;
  }
}

async function fill(source: Source, rootFd: number, options: TreeWriterOptions, log: Log) {
  using writer = new TreeWriter(rootFd, options);
  await copyEntries(source, writer);
  const { sockets, devices } = writer.skipped;
  if (sockets > 0) log.warning(`ignored ${sockets} sockets`);
  if (devices > 0) log.verbose(`ignored ${devices} devices`);
  if (writer.lacksXattrs) log.warning("extended attributes not saved: file system has none");
}

/** What is mounted inside stops it, with everything outside the mount removed (spec ch-convert §5). */
function removePresent(dirFd: number, name: string, present: PresentDirectory, path: string): void {
  try {
    if (present === "link") removeFile(dirFd, name);
    else if (present === "image") removeTree(dirFd, name);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new ChError(`can’t delete existing image: ${displayOsString(path)}`, { cause: error });
  }
}
