// Bytes to compress, programs to filter them through, and streams of them.

import assert from "node:assert/strict";
import { concatenate } from "./tree_fixture.ts";

/** Some of it compresses well, some not. */
export function makeSample(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let state = 1;
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = (at >> 16) % 3 === 0 ? state >>> 24 : "lorem ipsum "[(at + (state >>> 30)) % 12]!
      .charCodeAt(0);
  }
  return bytes;
}

/** DATA through a program of the host's. */
export async function filter(
  [program, ...args]: readonly string[],
  data: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const child = new Deno.Command(program!, { args, stdin: "piped", stdout: "piped" }).spawn();
  const [{ success, stdout }] = await Promise.all([
    child.output(),
    new Blob([data]).stream().pipeTo(child.stdin),
  ]);
  assert(success, `${program} ${args.join(" ")}`);
  return stdout;
}

/** Copied, for the memory of a chunk may be used again. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  return concatenate(parts);
}
