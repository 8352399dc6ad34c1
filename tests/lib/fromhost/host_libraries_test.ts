import assert from "node:assert/strict";
import { parseHostLibraries } from "../../../lib/fromhost/host_libraries.ts";

Deno.test("parseHostLibraries() reads the output of ldd", () => {
  const output = `\tlinux-vdso.so.1 (0x00007ffd)
\tlibcxi.so.1 => /usr/lib64/libcxi.so.1 (0x00007f01)
\tlibgone.so.2 => not found
\t/lib64/ld-linux-x86-64.so.2 (0x00007f02)
\t/opt/x/libdirect.so (0x00007f03)
`;
  assert.deepEqual(parseHostLibraries(output), [
    { name: "libcxi.so.1", path: "/usr/lib64/libcxi.so.1" },
    { name: "libgone.so.2", path: undefined },
    { name: "ld-linux-x86-64.so.2", path: "/lib64/ld-linux-x86-64.so.2" },
    { name: "libdirect.so", path: "/opt/x/libdirect.so" },
  ]);
  assert.deepEqual(parseHostLibraries("\tstatically linked\n"), []);
});
