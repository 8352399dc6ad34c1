// A pipe whose writing end is for a child: Deno tells no numbers of its own pipes.

import { Descriptor } from "./descriptor.ts";
import { openLightLibrary } from "./light_library.ts";
import { PROCESS } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";

export interface Pipe extends Disposable {
  /** For a child. */
  readonly writeFd: number;
  /** Whatever is written, as it comes, until {@linkcode end} is called. */
  read(): AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** Ends the reading after what has been written so far, whoever still holds the writing end. */
  end(): Promise<void>;
}

/** Throws SystemError. */
export function openPipe(): Pipe {
  const ends = new Int32Array(2);
  const block = newErrorBlock();
  checkResult(openLightLibrary(PROCESS).ch_process_pipe(ends, block), block);
  using reading = new Descriptor(ends[0]!);
  const writing = new Descriptor(ends[1]!);
  // Opened anew, they are files of Deno's own, which it reads and writes without keeping others waiting.
  const source = Deno.openSync(`/proc/self/fd/${reading.fd}`, { read: true });
  const sink = Deno.openSync(`/proc/self/fd/${writing.fd}`, { write: true });
  // A process left in the background may hold the pipe open for ever: there would be no end of file.
  // What is as short as this is written in one piece (pipe(7)).
  const mark = crypto.getRandomValues(new Uint8Array(32));
  // Text has none of these: no line waits for the next because its end could be the mark's beginning.
  mark[0] = 0;
  return {
    writeFd: writing.fd,
    read: () => readUntil(source, mark),
    end: async () => void await sink.write(mark),
    [Symbol.dispose]() {
      writing[Symbol.dispose]();
      for (const file of [sink, source]) closeOnce(file);
    },
  };
}

function closeOnce(file: Deno.FsFile): void {
  try {
    file.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

async function* readUntil(
  source: Deno.FsFile,
  mark: Uint8Array,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(65_536);
  /** What may be the mark's beginning. */
  let held = 0;
  for (;;) {
    const count = await source.read(buffer.subarray(held));
    if (count === null) break;
    const bytes = buffer.subarray(0, held + count);
    const at = findMark(bytes, mark);
    if (at < bytes.length && at + mark.length <= bytes.length) {
      if (at > 0) yield bytes.slice(0, at);
      return;
    }
    if (at > 0) yield bytes.slice(0, at);
    held = bytes.length - at;
    buffer.copyWithin(0, at, bytes.length);
  }
  if (held > 0) yield buffer.slice(0, held);
}

/** Where MARK, or as much of it as there is room for, begins; the length if nowhere. */
function findMark(bytes: Uint8Array, mark: Uint8Array): number {
  for (let at = bytes.indexOf(mark[0]!); at >= 0; at = bytes.indexOf(mark[0]!, at + 1)) {
    const length = Math.min(mark.length, bytes.length - at);
    let same = 1;
    while (same < length && bytes[at + same] === mark[same]) same++;
    if (same === length) return at;
  }
  return bytes.length;
}
