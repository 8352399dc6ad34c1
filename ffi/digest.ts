// SHA-256 of something in memory, at once; by the processor's own instructions where it has them.

import { openLightLibrary } from "./light_library.ts";
import { DIGEST } from "./symbols.ts";

let library: ReturnType<typeof openLightLibrary<typeof DIGEST>> | undefined;

/** SHA-256 of DATA, 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array<ArrayBuffer> {
  library ??= openLightLibrary(DIGEST);
  const digest = new Uint8Array(32);
  library.ch_digest_sha256(data as Uint8Array<ArrayBuffer>, BigInt(data.length), digest);
  return digest;
}
