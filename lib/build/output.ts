// What commands print: straight to the caller's own streams, or through us, who pass it on and know its
// last lines.

import { OutputTail } from "./output_tail.ts";
import { openPipe, type Pipe } from "../../ffi/pipe.ts";

/** Where a command's output goes. */
export type Output =
  /** To the caller's standard output and error, untouched: a terminal stays one. WATCHED is for when
   * that cannot be. */
  | { readonly kind: "direct"; readonly watched?: WatchedOutput }
  | WatchedOutput;

/** To WRITE. Joined: both streams are one pipe, so that their order stays what it was. */
export interface WatchedOutput {
  readonly kind: "watched";
  readonly joined: boolean;
  readonly write: (stream: "stdout" | "stderr", bytes: Uint8Array) => void;
  /** To be called when a command has ended. */
  readonly flush?: () => void;
}

export const DIRECT: Output = { kind: "direct" };

const KEPT_LINES = 10;

/** One command's output. */
export class OutputTap implements Disposable {
  readonly #output: Output;
  readonly #pipes: readonly Pipe[];
  readonly #readers: Promise<void>[] = [];
  readonly #tail = new OutputTail();
  #error: { readonly error: unknown } | undefined;

  constructor(output: Output) {
    this.#output = output;
    if (output.kind === "direct") {
      this.#pipes = [];
      return;
    }
    this.#pipes = output.joined ? [openPipe()] : [openPipe(), openPipe()];
    for (const [index, pipe] of this.#pipes.entries()) {
      this.#readers.push(this.#pass(pipe, index === 0 ? "stdout" : "stderr"));
    }
  }

  /** Descriptors that become the command's standard output and error. */
  get descriptors(): readonly [number, number] {
    const [out, err = out] = this.#pipes;
    return [out?.writeFd ?? 1, err?.writeFd ?? 2];
  }

  /** To be called when the command has ended; returns when all that it printed has been passed on,
   * or throws why it could not be. */
  async end(): Promise<void> {
    await Promise.all(this.#pipes.map((pipe) => pipe.end()));
    await Promise.all(this.#readers);
    if (this.#output.kind === "watched") this.#output.flush?.();
    if (this.#error !== undefined) throw this.#error.error;
  }

  /** The last lines; none if nobody watched. */
  get lastLines(): string[] {
    return this.#tail.listLines(KEPT_LINES);
  }

  [Symbol.dispose](): void {
    for (const pipe of this.#pipes) pipe[Symbol.dispose]();
  }

  async #pass(pipe: Pipe, stream: "stdout" | "stderr"): Promise<void> {
    const output = this.#output;
    if (output.kind === "direct") return;
    const decoder = new TextDecoder();
    for await (const bytes of pipe.read()) {
      this.#tail.add(decoder.decode(bytes, { stream: true }));
      if (this.#error !== undefined) continue;
      try {
        output.write(stream, bytes);
      } catch (error) {
        // The command must not wait for ever on a pipe that nobody reads.
        this.#error = { error };
      }
    }
  }
}
