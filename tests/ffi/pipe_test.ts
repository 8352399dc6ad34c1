import assert from "node:assert/strict";
import { openPipe } from "../../ffi/pipe.ts";

Deno.test("openPipe() gives what is written, and ends while a writer is left", async () => {
  using pipe = openPipe();
  using writer = Deno.openSync(`/proc/self/fd/${pipe.writeFd}`, { write: true });
  const written = crypto.getRandomValues(new Uint8Array(200_000).subarray(0, 65_536));
  const chunks: Uint8Array[] = [];
  const reading = (async () => {
    for await (const chunk of pipe.read()) chunks.push(chunk);
  })();
  for (let at = 0; at < written.length;) at += await writer.write(written.subarray(at));
  await pipe.end();
  await reading;
  const read = new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
  assert.deepEqual(read, written.slice());
});

Deno.test("openPipe() ends at once when nothing was written", async () => {
  using pipe = openPipe();
  await pipe.end();
  for await (const chunk of pipe.read()) assert.fail(`got ${chunk.length} bytes`);
});
