// SHA-256, at once or of what comes piece by piece (c/shim/digest.c); by the processor's own instructions
// where it has them.

import { holding } from "./in_flight.ts";
import { openLibrary } from "./library.ts";
import { openLightLibrary } from "./light_library.ts";
import { SHA256 } from "./symbols.ts";

const STATE_SIZE = 104, DIGEST_SIZE = 32;
/** From here on another thread is worth the way to it. */
const LARGE = 1 << 16;

let opened: Deno.DynamicLibrary<typeof SHA256>["symbols"] | undefined;
function shim(): Deno.DynamicLibrary<typeof SHA256>["symbols"] {
  return opened ??= openLibrary(SHA256);
}

let light: ReturnType<typeof openLightLibrary<typeof SHA256>> | undefined;

/** SHA-256 of DATA, 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array<ArrayBuffer> {
  light ??= openLightLibrary(SHA256);
  const state = new Uint8Array(new ArrayBuffer(STATE_SIZE));
  const digest = new Uint8Array(new ArrayBuffer(DIGEST_SIZE));
  light.ch_sha256_begin(state);
  light.ch_sha256_add(state, data as Uint8Array<ArrayBuffer>, BigInt(data.length));
  light.ch_sha256_end(state, digest);
  return digest;
}

export class Sha256 {
  // Made apart, so that it lies outside the moving heap.
  readonly #state = new Uint8Array(new ArrayBuffer(STATE_SIZE));

  constructor() {
    shim().ch_sha256_begin(this.#state);
  }

  /** To be awaited before the next call; DATA may not be changed meanwhile. */
  async add(data: Uint8Array): Promise<void> {
    const bytes = data as Uint8Array<ArrayBuffer>, size = BigInt(data.length);
    if (data.length < LARGE) return shim().ch_sha256_add(this.#state, bytes, size);
    const call = shim().ch_sha256_add_in_background(this.#state, bytes, size);
    await holding(call, this.#state, bytes);
  }

  /** The sum as hexadecimal digits; nothing can be added any more. */
  end(): string {
    const digest = new Uint8Array(new ArrayBuffer(DIGEST_SIZE));
    shim().ch_sha256_end(this.#state, digest);
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}
