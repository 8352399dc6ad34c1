// A gzipped tar archive as the output of a conversion: under a temporary name until it is complete.

import { findGroup, findUser } from "../../ffi/process.ts";
import { openRoot } from "../../ffi/tree.ts";
import { createFile, removeFile, renameEntry, writeDescriptor } from "../../ffi/tree_change.ts";
import { compressGzip } from "../layer/codec.ts";
import { copyEntries, type Source } from "../layer/entry.ts";
import { TarWriter } from "../layer/tar_writer.ts";
import { splitFilePath } from "./file_path.ts";
import { temporaryName } from "./temporary_name.ts";

export interface TarFileOptions {
  readonly xattrs: boolean;
  /** Mode of the file, with the umask already applied. */
  readonly mode: number;
  readonly onSkippedSockets: (count: number) => void;
}

/** Writes SOURCE to PATH, replacing what is there. If it throws, nothing has changed. */
export async function writeTarFile(
  source: Source,
  path: string,
  options: TarFileOptions,
): Promise<void> {
  const [parent, name] = splitFilePath(path);
  const temporary = temporaryName(name);
  using directory = openRoot(parent);
  using file = createFile(directory.fd, temporary, options.mode);
  try {
    let offset = 0;
    for await (const chunk of compressGzip(collect((put) => writeTar(source, put, options)))) {
      writeDescriptor(file.fd, chunk, offset);
      offset += chunk.length;
    }
    renameEntry(directory.fd, temporary, directory.fd, name);
  } catch (error) {
    removeFile(directory.fd, temporary);
    throw error;
  }
}

async function writeTar(
  source: Source,
  put: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
  { xattrs, onSkippedSockets }: TarFileOptions,
): Promise<void> {
  // GNU's own format has no place for attributes.
  const writer = new TarWriter(put, {
    format: xattrs ? "pax" : "gnu",
    owner: "keep",
    findNames: nameFinder(),
  });
  await copyEntries(source, writer);
  if (writer.skipped.sockets > 0) onSkippedSockets(writer.skipped.sockets);
}

/** Looks each number up once: the answer may come over the network. */
function nameFinder(): (uid: number, gid: number) => { user: string; group: string } {
  const users = new Map<number, string>(), groups = new Map<number, string>();
  return (uid, gid) => {
    const user = users.get(uid) ?? findUser(uid)?.name ?? "";
    const group = groups.get(gid) ?? findGroup(gid)?.name ?? "";
    users.set(uid, user);
    groups.set(gid, group);
    return { user, group };
  };
}

/** What PRODUCE puts out, to be taken piece by piece; it waits while a piece has not been taken. */
async function* collect(
  produce: (put: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>) => Promise<void>,
): AsyncGenerator<Uint8Array, void, void> {
  let piece = Promise.withResolvers<Uint8Array | undefined>();
  let taken = Promise.withResolvers<void>();
  const put = (bytes: Uint8Array<ArrayBuffer>) => {
    piece.resolve(bytes);
    return taken.promise;
  };
  produce(put).then(() => piece.resolve(undefined), (error) => piece.reject(error));
  try {
    for (;;) {
      const bytes = await piece.promise;
      if (bytes === undefined) return;
      piece = Promise.withResolvers();
      const { resolve } = taken;
      taken = Promise.withResolvers();
      resolve();
      yield bytes;
    }
  } finally {
    // Nobody takes any more: the producer must not wait for ever.
    taken.reject(new Error("output abandoned"));
    taken.promise.catch(() => {});
    piece.promise.catch(() => {});
  }
}
