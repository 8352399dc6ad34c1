import assert from "node:assert/strict";
import { openMemoryFile, readMemoryFile } from "../../ffi/memory_file.ts";

Deno.test("openMemoryFile() takes what others write", () => {
  using file = openMemoryFile("test");
  assert.equal(readMemoryFile(file).length, 0);
  Deno.writeTextFileSync(`/proc/self/fd/${file.fd}`, "one\n");
  Deno.writeTextFileSync(`/proc/self/fd/${file.fd}`, "two\n", { append: true });
  assert.equal(new TextDecoder().decode(readMemoryFile(file)), "one\ntwo\n");
});
