// Copying one host file into the image: content, mode, times, extended attributes and, for root, owner
// (spec ch-fromhost §5.2). The file appears in one step.

import { findRealPath } from "../../ffi/path.ts";
import { isSystemError, SystemError } from "../../ffi/system_error.ts";
import { openFile, openRoot, readEntry, readXattrs, type Stat } from "../../ffi/tree.ts";
import {
  copyFileData,
  createFile,
  finishFile,
  removeFile,
  renameEntry,
  setMode,
  setOwner,
  setXattr,
} from "../../ffi/tree_change.ts";
import type { Descriptor } from "../../ffi/descriptor.ts";
import { ChError } from "../error.ts";
import { baseName, directoryOf } from "./host_libraries.ts";

export interface CopyTarget {
  /** The image's root directory. */
  readonly rootFd: number;
  /** Canonical, relative to it. */
  readonly directory: string;
  /** Calls itself so in messages. */
  readonly displayed: string;
  /** Told that the directory was not writeable. */
  readonly onFixing: (message: string) => void;
}

/** SOURCE is a host path whose links are followed; its base name as given stays. Throws a ChError. */
export function copyIntoImage(source: string, target: CopyTarget): void {
  try {
    using opened = openSource(source);
    copyOpened(opened.file, opened.stat, opened.xattrs, baseName(source), target);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new ChError(`cannot inject: ${source}`, { cause: nameless(error) });
  }
}

interface Source extends Disposable {
  readonly file: Descriptor;
  readonly stat: Stat;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

function openSource(path: string): Source {
  const real = findRealPath(path);
  if (real === undefined) throw new SystemError("open", path, ENOENT, "copy_file.ts", 0);
  using directory = openRoot(directoryOf(real));
  const name = baseName(real);
  const file = openFile(directory.fd, name);
  const xattrs = readXattrs(directory.fd, name);
  return {
    file,
    stat: readEntry(file.fd, ""),
    xattrs,
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

const ENOENT = 2;

function copyOpened(
  source: Descriptor,
  stat: Stat,
  xattrs: ReadonlyMap<string, Uint8Array>,
  name: string,
  target: CopyTarget,
): void {
  const { rootFd, directory } = target;
  const inDirectory = (base: string) => directory === "" ? base : `${directory}/${base}`;
  const aside = inDirectory(`.ch-fromhost.${crypto.randomUUID()}`);
  {
    using file = createInDirectory(aside, target);
    try {
      copyFileData(source.fd, file.fd, stat.size);
      unlessRefused(() => setOwner(rootFd, aside, stat.uid, stat.gid));
      for (const [key, value] of xattrs) unlessRefused(() => setXattr(rootFd, aside, key, value));
      finishFile(file.fd, stat.size, stat.mode, stat);
      renameEntry(rootFd, aside, rootFd, inDirectory(name));
    } catch (error) {
      removeFile(rootFd, aside);
      throw error;
    }
  }
}

function createInDirectory(path: string, target: CopyTarget): Descriptor {
  const create = () => createFile(target.rootFd, path, 0o600);
  try {
    return create();
  } catch (error) {
    if (!isSystemError(error, "EACCES")) throw error;
  }
  target.onFixing(`${target.displayed} not writeable; fixing`);
  try {
    const { mode } = readEntry(target.rootFd, target.directory);
    setMode(target.rootFd, target.directory, mode | 0o200);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new ChError(`can't chmod u+w: ${target.displayed}`, { cause: nameless(error) });
  }
  return create();
}

/** Owners and some attributes are for the privileged, or not for every file system. */
function unlessRefused(set: () => void): void {
  try {
    set();
  } catch (error) {
    if (!isSystemError(error, "EPERM", "EACCES", "EOPNOTSUPP", "EINVAL")) throw error;
  }
}

/** The reason alone: the message above names the file. */
function nameless({ call, errno, file, line }: SystemError): SystemError {
  return new SystemError(call, "", errno, file, line);
}
