import assert from "node:assert/strict";
import { BufferRing } from "../../../lib/layer/buffer_ring.ts";

Deno.test("BufferRing hands out as many buffers as it has, in turns", () => {
  const ring = new BufferRing(3, 8);
  const first = [ring.next(), ring.next(), ring.next()];
  assert.equal(new Set(first.map(({ buffer }) => buffer)).size, 3);
  assert(first.every(({ length }) => length === 8));
  for (const buffer of first) assert.equal(ring.next(), buffer);
});
