// The bytes of a blob as they come from a registry: from any place on, in several requests at once where
// that pays, and again from where a connection broke off. Nothing is verified here.

import { ChError } from "../error.ts";
import { BufferRing } from "../layer/buffer_ring.ts";
import type { Repository } from "./repository.ts";
import { readLength } from "./response.ts";
import { pause } from "./retry.ts";
import { TransportError } from "./transport.ts";

export interface WantedBlob {
  readonly digest: string;
  /** Undefined where the manifest does not tell. */
  readonly size: number | undefined;
}

/** Bytes of one request where there are several at once. */
const SEGMENT = 8 << 20;
/** Requests ahead of the one that is being read; each may hold a segment in memory. */
const AHEAD = 2;
/** Bytes read from a connection at a time, at most. */
const READ_SIZE = 256 << 10;
/** Below this one request is as good. */
const LARGE = 4 * SEGMENT;

/** BLOB from byte FROM on. A chunk is good until the next is asked for. Throws a ChError. */
export async function* streamBlob(
  repository: Repository,
  blob: WantedBlob,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const { size } = blob;
  const stream = (at: number, end: number | undefined) =>
    streamRange({ repository, blob, signal }, at, end);
  if (size === undefined || size - from < LARGE) return yield* stream(from, size);

  const ring = new BufferRing(AHEAD + 1, SEGMENT);
  const queue: Promise<Uint8Array>[] = [];
  let next = from + SEGMENT;
  const request = () => {
    if (next >= size) return;
    const end = Math.min(next + SEGMENT, size);
    const segment = collect(stream(next, end), ring.next().subarray(0, end - next));
    segment.catch(() => {}); // reported when its turn comes
    queue.push(segment);
    next = end;
  };
  // The first tells whether the registry can do parts of blobs at all.
  let isFirst = true;
  const first = streamRange({ repository, blob, signal }, from, from + SEGMENT, () => {
    if (isFirst) { for (let i = 0; i < AHEAD; i++) request(); }
    isFirst = false;
  });
  let at = from;
  for await (const chunk of first) {
    at += chunk.length;
    yield chunk;
  }
  if (at === size) return; // it cannot, and sent all
  while (queue.length > 0) {
    const segment = await queue.shift()!;
    request();
    yield segment;
  }
}

interface Source {
  readonly repository: Repository;
  readonly blob: WantedBlob;
  readonly signal: AbortSignal;
}

/** Bytes FROM to END, or all behind if the registry sends only whole blobs. ON_PART is called when it
 * turns out that it sends parts. */
async function* streamRange(
  source: Source,
  from: number,
  end: number | undefined,
  onPart: () => void = () => {},
): AsyncGenerator<Uint8Array, void, void> {
  const { repository: { retries, log, signal } } = source;
  let at = from;
  for (let failures = 0;;) {
    let isWhole = false;
    try {
      const answer = await open(source, at, end);
      if (answer.isPart) onPart();
      isWhole = !answer.isPart;
      let skip = answer.isPart ? 0 : at;
      for await (const chunk of answer.chunks) {
        const rest = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - rest.length;
        if (rest.length === 0) continue;
        failures = 0;
        at += rest.length;
        yield rest;
      }
      if (isComplete(source.blob, at, isWhole ? undefined : end)) return;
      throw new TransportError("GET failed: connection closed early", "network");
    } catch (error) {
      source.signal.throwIfAborted();
      const wait = retries.pauses[failures++];
      if (!(error instanceof TransportError) || wait === undefined) throw error;
      await pause(wait, error.message, log, signal);
    }
  }
}

function isComplete({ size }: WantedBlob, at: number, end: number | undefined): boolean {
  const last = end ?? size;
  return last === undefined || at >= last;
}

interface Answer {
  readonly isPart: boolean;
  readonly chunks: AsyncIterable<Uint8Array>;
}

async function open(
  { repository, blob, signal }: Source,
  from: number,
  end: number | undefined,
): Promise<Answer> {
  const isRange = from > 0 || (end !== undefined && end !== blob.size);
  const stop = new AbortController();
  const response = await repository.request("GET", `blobs/${blob.digest}`, {
    ...isRange ? { headers: { Range: `bytes=${from}-${end === undefined ? "" : end - 1}` } } : {},
    expected: isRange ? [200, 206, 416] : [200],
    signal: AbortSignal.any([signal, stop.signal]),
  });
  const isPart = response.status === 206;
  if (response.status === 416) {
    await response.body?.cancel();
    throw new ChError(`registry has less of the blob than it should: ${blob.digest}`);
  }
  if (isPart) requirePart(response, from);
  else checkLength(response, blob);
  return { isPart, chunks: readPatiently(response, stop, repository.retries.patience) };
}

function requirePart({ headers }: Response, from: number): void {
  const range = headers.get("Content-Range");
  const start = /^bytes (\d+)-/.exec(range ?? "")?.[1];
  if (start !== undefined && Number(start) === from) return;
  throw new ChError(`registry sent another part than asked for: ${range}`);
}

function checkLength({ headers }: Response, { size, digest }: WantedBlob): void {
  const length = readLength(headers);
  if (size === undefined || length === undefined || length === size) return;
  throw new ChError(`wrong size: ${digest}: ${length} bytes instead of ${size}`);
}

/** A connection that brings nothing for so many milliseconds, or a quarter more, is given up. A chunk is good
 * until the next is asked for. */
async function* readPatiently(
  { body }: Response,
  stop: AbortController,
  patience: number,
): AsyncGenerator<Uint8Array, void, void> {
  if (body === null) return;
  const reader = openReader(body);
  let isOver = false;
  const late = new TransportError(
    `GET failed: nothing received in ${Math.round(patience / 1000)} s`,
    "network",
  );
  // One that looks at the clock now and then: chunks are many, and a timer for each would cost more than
  // reading it.
  let since: number | undefined;
  const watch = setInterval(() => {
    if (since !== undefined && performance.now() - since >= patience) stop.abort(late);
  }, patience / 4);
  try {
    for (;;) {
      since = performance.now();
      const { done, value } = await reader.read();
      since = undefined;
      isOver = done;
      if (done) return;
      yield value!;
    }
  } catch (error) {
    isOver = true;
    if (error instanceof ChError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TransportError(`GET failed: ${reason}`, "network");
  } finally {
    clearInterval(watch);
    if (!isOver) await reader.cancel().catch(() => {});
  }
}

interface ChunkReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

/** With memory of its own, used again and again, where the stream can do that: the garbage of the usual
 * way is several times as large as what is read. */
function openReader(body: ReadableStream<Uint8Array>): ChunkReader {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = body.getReader({ mode: "byob" });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return body.getReader(); // no stream of the network, but one that was made
  }
  let memory = new ArrayBuffer(READ_SIZE);
  return {
    async read() {
      const { done, value } = await reader.read(new Uint8Array(memory));
      if (value !== undefined) memory = value.buffer;
      return { done, value };
    },
    cancel: () => reader.cancel(),
  };
}

async function collect(
  chunks: AsyncIterable<Uint8Array>,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  let at = 0;
  for await (const chunk of chunks) {
    if (at + chunk.length > bytes.length) throw new ChError("registry sent more than asked for");
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
