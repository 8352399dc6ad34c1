// Writing to descriptors that the caller owns: all of it, even where they do not block.

import { encodeOsString } from "../ffi/os_string.ts";

export interface Writer {
  writeSync(bytes: Uint8Array): number;
}

/** TEXT is an OsString. Waits where the descriptor is full; throws what else goes wrong. */
export function writeText(writer: Writer, text: string): void {
  writeBytes(writer, encodeOsString(text));
}

/** The same for bytes as they are. */
export function writeBytes(writer: Writer, whole: Uint8Array): void {
  let bytes = whole;
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writer.writeSync(bytes));
    } catch (error) {
      // A pipe whose other end made it non-blocking.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      sleep(5);
    }
  }
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
