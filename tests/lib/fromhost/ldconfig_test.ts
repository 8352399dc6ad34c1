import assert from "node:assert/strict";
import { chooseLibraryDirectory, parseLibraryDirectories } from "../../../lib/fromhost/ldconfig.ts";

const NEW = `/opt/host/lib: (from /etc/ld.so.conf.d/ch-ofi.conf:1)
/usr/local/lib: (from /etc/ld.so.conf.d/libc.conf:2)
/lib/x86_64-linux-gnu: (from /etc/ld.so.conf.d/x.conf:3 and /etc/ld.so.conf.d/y.conf:4)
\tlibz.so.1 -> libz.so.1.2.13
/lib: (from <builtin>:0)
`;
const OLD = "/usr/local/lib:\n\tlibx.so.1 -> libx.so.1.0\n/lib:\n";

Deno.test("parseLibraryDirectories() reads what ldconfig prints, old and new", () => {
  assert.deepEqual(parseLibraryDirectories(NEW), [
    { path: "/opt/host/lib", from: "/etc/ld.so.conf.d/ch-ofi.conf" },
    { path: "/usr/local/lib", from: "/etc/ld.so.conf.d/libc.conf" },
    { path: "/lib/x86_64-linux-gnu", from: "/etc/ld.so.conf.d/x.conf" },
    { path: "/lib", from: "<builtin>" },
  ]);
  assert.deepEqual(parseLibraryDirectories(OLD), [
    { path: "/usr/local/lib", from: undefined },
    { path: "/lib", from: undefined },
  ]);
});

Deno.test("chooseLibraryDirectory() passes over the host's directories and missing ones", () => {
  const choose = (output: string, own: string[], missing: string[]) =>
    chooseLibraryDirectory(parseLibraryDirectories(output), own, (path) => !missing.includes(path));
  assert.equal(choose(NEW, [], []), "/usr/local/lib");
  assert.equal(choose(OLD, [], []), "/usr/local/lib");
  assert.equal(choose(OLD, ["/usr/local/lib"], []), "/lib");
  assert.equal(choose(OLD, [], ["/usr/local/lib"]), "/lib");
  for (const output of ["", "relative:\n", "\t/x:\n"]) {
    assert.throws(() => choose(output, [], []), { message: "empty path from ldconfig" });
  }
});
