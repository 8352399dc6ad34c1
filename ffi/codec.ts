// Compression in both directions and plain reading, off the main thread
// (c/shim/{decoder,compress,input_file}.c). No policy: which codec, how large the pieces and in which
// order they go is lib/layer's.

import { holding } from "./in_flight.ts";
import { openLibrary } from "./library.ts";
import { encodeCString } from "./os_string.ts";
import { CODEC } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";

/** What the shim can decode. */
export type CodecKind = "gzip" | "bzip2" | "xz" | "zstd" | "lz4";
/** What it can make. */
export type EncoderKind = Exclude<CodecKind, "lz4">;

/** Why a call returned: it wants input or room for output, or it lies between two streams. */
export type DecoderStatus = "input" | "output" | "between";

export interface DecoderProgress {
  readonly consumed: number;
  readonly produced: number;
  readonly status: DecoderStatus;
}

type Bytes = Uint8Array<ArrayBuffer>;

const KINDS = { gzip: 1, bzip2: 2, xz: 3, zstd: 4, lz4: 5 } as const satisfies Record<
  CodecKind,
  number
>;
const STATUSES: readonly DecoderStatus[] = ["input", "output", "between"];

let opened: Deno.DynamicLibrary<typeof CODEC>["symbols"] | undefined;
function codec(): Deno.DynamicLibrary<typeof CODEC>["symbols"] {
  return opened ??= openLibrary(CODEC);
}

/** Numbers that C fills in. The buffer is made apart, so that it lies outside the moving heap. */
function newNumbers(count: number): BigUint64Array<ArrayBuffer> {
  return new BigUint64Array(new ArrayBuffer(8 * count));
}

/** One stream, or several of the same kind in a row, being decoded. */
export class Decoder implements Disposable {
  readonly #handle: bigint;
  #running: Promise<unknown> | undefined;
  #closed = false;

  constructor(kind: CodecKind) {
    const handle = newNumbers(1), error = newErrorBlock();
    checkResult(codec().ch_decoder_open(KINDS[kind], handle, error), error);
    this.#handle = handle[0]!;
  }

  /** Decodes from INPUT into OUTPUT, neither of which may be touched meanwhile. One call at a time.
   * Throws a SystemError without errno, its path the reason, if the data is wrong. */
  async run(input: Uint8Array, output: Bytes): Promise<DecoderProgress> {
    const progress = newNumbers(3), error = newErrorBlock();
    const call = codec().ch_decoder_run(
      this.#handle,
      input as Bytes,
      BigInt(input.length),
      output,
      BigInt(output.length),
      progress,
      error,
    );
    this.#running = call;
    const result = await holding(call, input, output, progress, error);
    this.#running = undefined;
    checkResult(result, error);
    return {
      consumed: Number(progress[0]!),
      produced: Number(progress[1]!),
      status: STATUSES[Number(progress[2]!)]!,
    };
  }

  /** May be called while a call is under way: its memory is freed when it returns. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    const close = () => void codec().ch_decoder_close(this.#handle);
    if (this.#running === undefined) close();
    else this.#running.then(close, close);
  }
}

/** Bytes that SIZE of them may take when they are compressed. */
export function compressedBound(kind: EncoderKind, size: number): number {
  const bound = newNumbers(1), error = newErrorBlock();
  checkResult(codec().ch_compress_bound(KINDS[kind], BigInt(size), bound, error), error);
  return Number(bound[0]!);
}

/** DATA compressed by itself into OUTPUT, which has room for it ({@linkcode compressedBound}): the same
 * bytes every time. Returns the part of OUTPUT that they take. What comes of several pieces may be put
 * together. LEVEL: gzip 0 to 12, bzip2 1 to 9, xz 0 to 9, zstd 1 to 22. Throws a SystemError. */
export async function compressPiece(
  kind: EncoderKind,
  data: Uint8Array,
  level: number,
  output: Bytes,
): Promise<Uint8Array> {
  const size = newNumbers(1), error = newErrorBlock();
  const call = codec().ch_compress(
    KINDS[kind],
    level,
    data as Bytes,
    BigInt(data.length),
    output,
    BigInt(output.length),
    size,
    error,
  );
  checkResult(await holding(call, data, output, size, error), error);
  return output.subarray(0, Number(size[0]!));
}

/** A host file being read. */
export class InputFile implements Disposable {
  readonly #fd: number;
  #running: Promise<unknown> | undefined;
  #closed = false;

  /** PATH is an OsString; reading begins at OFFSET. Throws a SystemError if it cannot be opened. */
  constructor(path: string, offset = 0) {
    const error = newErrorBlock();
    const result = codec().ch_input_open(encodeCString(path), BigInt(offset), error);
    this.#fd = checkResult(result, error);
  }

  /** Fills BUFFER as far as the file goes; 0 at its end. One call at a time. */
  async read(buffer: Bytes): Promise<number> {
    const error = newErrorBlock();
    const call = codec().ch_input_read(this.#fd, buffer, BigInt(buffer.length), error);
    this.#running = call;
    const result = await holding(call, buffer, error);
    this.#running = undefined;
    return checkResult(result, error);
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    const close = () => void codec().ch_input_close(this.#fd);
    if (this.#running === undefined) close();
    else this.#running.then(close, close);
  }
}
