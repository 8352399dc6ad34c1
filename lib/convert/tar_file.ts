// A gzipped tar archive as the output of a conversion.

import { OutputFile } from "../../ffi/output_file.ts";
import { findGroup, findUser } from "../../ffi/process.ts";
import { compressGzip } from "../layer/codec.ts";
import { copyEntries, type Source } from "../layer/entry.ts";
import { TarWriter } from "../layer/tar_writer.ts";

export interface TarFileOptions {
  readonly xattrs: boolean;
  readonly onSkippedSockets: (count: number) => void;
}

/** Writes SOURCE to PATH, replacing what is there. If it throws, nothing has changed. */
export async function writeTarFile(
  source: Source,
  path: string,
  options: TarFileOptions,
): Promise<void> {
  using file = new OutputFile(path);
  for await (const chunk of compressGzip(collect((put) => writeTar(source, put, options)))) {
    await file.write(chunk);
  }
  await file.commit();
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
  let piece = newSlot<Uint8Array | undefined>();
  let taken = newSlot<void>();
  const put = (bytes: Uint8Array<ArrayBuffer>) => {
    piece.resolve(bytes);
    return taken.promise;
  };
  produce(put).then(() => piece.resolve(undefined), (error) => piece.reject(error));
  try {
    for (;;) {
      const bytes = await piece.promise;
      if (bytes === undefined) return;
      const { resolve } = taken;
      piece = newSlot();
      taken = newSlot();
      resolve();
      yield bytes;
    }
  } finally {
    // Nobody takes any more: the producer must not wait for ever.
    taken.reject(new Error("output abandoned"));
  }
}

/** To be settled by one side and waited for by the other, which may come later or not at all. */
function newSlot<T>(): PromiseWithResolvers<T> {
  const slot = Promise.withResolvers<T>();
  slot.promise.catch(() => {});
  return slot;
}
