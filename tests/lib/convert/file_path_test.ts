import assert from "node:assert/strict";
import { splitFilePath } from "../../../lib/convert/file_path.ts";

Deno.test("splitFilePath() gives directory and last component", () => {
  const cases: [string, string, string][] = [
    ["a", ".", "a"],
    ["./a", ".", "a"],
    ["a/b", "a", "b"],
    ["a/b//", "a", "b"],
    ["/a", "/", "a"],
    ["/a/b", "/a", "b"],
    ["/", "/", ""],
    ["", ".", ""],
  ];
  for (const [path, parent, name] of cases) {
    assert.deepEqual(splitFilePath(path), [parent, name], path);
  }
});
