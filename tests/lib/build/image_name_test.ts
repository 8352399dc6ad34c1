// Names of untagged images.

import { strictEqual } from "node:assert/strict";
import { inferImageName } from "../../../lib/build/image_name.ts";

const CASES: readonly (readonly [string, string, string])[] = [
  ["/x/Dockerfile.@FOO.bar", "/ctx", "foo.bar"],
  ["baz.@QUX.dockerfile", "/ctx", "baz.qux"],
  ["a.df", "/ctx", "a"],
  ["/a/b/Dockerfile", "/home/Ctx.D@r", "ctx.dr"],
  ["Dockerfile", "/home/ctx/", "ctx"],
  ["Dockerfile", "/work/-", "-"],
  ["-", "/work/x", "x"],
  ["Dockerfile", "/", "root"],
  ["Dockerfile.", "/c", "c"],
  [".df", "/c", "c"],
];

for (const [file, context, name] of CASES) {
  Deno.test(`inferImageName() of ${file} in ${context}`, () => {
    strictEqual(inferImageName(file, context), name);
  });
}
