// A host file that has no name until it is complete (c/shim/output_file.c).

import { holding } from "./in_flight.ts";
import { openLibrary } from "./library.ts";
import { encodeCString } from "./os_string.ts";
import { OUTPUT_FILE } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";

let opened: Deno.DynamicLibrary<typeof OUTPUT_FILE>["symbols"] | undefined;
function shim(): Deno.DynamicLibrary<typeof OUTPUT_FILE>["symbols"] {
  return opened ??= openLibrary(OUTPUT_FILE);
}

/** Calls are to be awaited before the next; all throw SystemError. */
export class OutputFile implements Disposable {
  readonly #handle: bigint;
  #running: Promise<number> | undefined;
  #closed = false;

  /** PATH, an OsString, is what {@linkcode commit} will replace; if KEEP_EXISTING, it fails with EEXIST
   * where there is something. */
  constructor(path: string, keepExisting = false) {
    const handle = new BigUint64Array(1), error = newErrorBlock();
    checkResult(
      shim().ch_output_open(encodeCString(path), keepExisting ? 1 : 0, handle, error),
      error,
    );
    this.#handle = handle[0]!;
  }

  async write(data: Uint8Array): Promise<void> {
    const error = newErrorBlock(), bytes = data as Uint8Array<ArrayBuffer>;
    this.#running = shim().ch_output_write(this.#handle, bytes, BigInt(bytes.length), error);
    await this.#finish(bytes, error);
  }

  /** The file gets its name; it is on the disk then. */
  async commit(): Promise<void> {
    const error = newErrorBlock();
    this.#running = shim().ch_output_commit(this.#handle, error);
    await this.#finish(error, error);
  }

  async #finish(data: Uint8Array, error: Uint8Array<ArrayBuffer>): Promise<void> {
    const result = await holding(this.#running!, data, error);
    this.#running = undefined;
    checkResult(result, error);
  }

  /** Leaves nothing unless it was committed. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    const close = () => void shim().ch_output_close(this.#handle);
    if (this.#running === undefined) close();
    else this.#running.then(close, close);
  }
}
