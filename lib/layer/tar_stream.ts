// A tar archive as a stream of chunks, made as they are asked for.

import { copyEntries, type Source } from "./entry.ts";
import { TarWriter, type TarWriterOptions } from "./tar_writer.ts";

export interface TarStreamOptions extends TarWriterOptions {
  /** Told at the end of sockets left out, if there were any. */
  readonly onSkippedSockets?: (count: number) => void;
}

/** The archive that SOURCE makes. */
export function streamTar(
  source: Source,
  options: TarStreamOptions,
): AsyncGenerator<Uint8Array, void, void> {
  return collect((put) => writeTar(source, put, options));
}

async function writeTar(
  source: Source,
  put: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
  options: TarStreamOptions,
): Promise<void> {
  const writer = new TarWriter(put, options);
  await copyEntries(source, writer);
  if (writer.skipped.sockets > 0) options.onSkippedSockets?.(writer.skipped.sockets);
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
