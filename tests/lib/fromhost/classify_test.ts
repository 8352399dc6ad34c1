import assert from "node:assert/strict";
import { classifyPath, type FileClass } from "../../../lib/fromhost/classify.ts";

const CASES: readonly (readonly [path: string, isCray: boolean, fileClass: FileClass])[] = [
  ["/usr/bin/x", false, "executable"],
  ["/opt/binutils/y", false, "executable"],
  ["/usr/sbin/x", false, "executable"],
  ["/usr/lib/x/bin/tool", false, "executable"],
  ["/opt/cray/lib64/libfabric.so", true, "cray-libfabric"],
  ["/opt/lib64/libfabric.so", false, "library"],
  ["libdir/libfake-fi.so", false, "provider"],
  ["x-fi.so", false, "provider"],
  ["/usr/lib64/libcuda.so.535.1", false, "library"],
  ["/opt/foo.so", false, "library"],
  ["/opt/foo.so.1", false, "library"],
  ["libfoo.so.1.0", false, "library"],
  ["sotest/sotest.c", false, "other"],
  ["foo.sock", false, "other"],
];

Deno.test("classifyPath() goes by the path alone", () => {
  for (const [path, isCray, fileClass] of CASES) {
    assert.equal(classifyPath(path, isCray), fileClass, path);
  }
});
