// The identity of states: how they were made, not what is in them (spec build-cache §3).

import { sha256 } from "../../ffi/sha256.ts";
import { encodeOsString } from "../../ffi/os_string.ts";
import type { StateKey } from "./state_store.ts";

/** Of the empty state that everything begins with. */
export const ROOT_SID = "4A6F73C3A92043617061626C616E6361";

/** Identity of what KEY makes of the state PARENT. */
export function deriveSid(parent: string, { text, inputs = [] }: StateKey): string {
  const parts = [parent, text, ...inputs].map(encodeOsString);
  // With lengths, so that no two lists of parts look the same.
  const lengths = encodeOsString(parts.map(({ length }) => length).join(" ") + "\n");
  return toHex(sha256(concatenate([lengths, ...parts]))).slice(0, 32).toUpperCase();
}

/** `4A6F:73C3:A9204361:7061626C:616E6361` */
export function formatSid(sid: string): string {
  return [[0, 4], [4, 8], [8, 16], [16, 24], [24, 32]].map(([from, to]) => sid.slice(from, to))
    .join(":");
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
