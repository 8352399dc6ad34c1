// All of standard input.

import { readDescriptor } from "../ffi/descriptor.ts";

const PIECE = 65536;

export function readStandardInput(): Uint8Array {
  let bytes = new Uint8Array(PIECE);
  let length = 0;
  for (;;) {
    const got = readDescriptor(0, bytes.subarray(length));
    if (got === 0) return bytes.subarray(0, length);
    length += got;
    if (length < bytes.length) continue;
    const larger = new Uint8Array(2 * bytes.length);
    larger.set(bytes);
    bytes = larger;
  }
}
