import assert from "node:assert/strict";
import { listDefaultBinds, parseBind } from "../../../lib/container/binds.ts";

for (
  const [text, source, target] of [
    ["/mnt", "/mnt", "/mnt"],
    ["/a:/b", "/a", "/b"],
    ["rel/dir:/b", "rel/dir", "/b"],
    ["/a:/b:ro", "/a", "/b:ro"],
    ["/a:/b:/c", "/a", "/b:/c"],
    ["/a:/..", "/a", "/.."],
  ] as const
) {
  Deno.test(`parseBind() takes ${text} as ${source} at ${target}`, () => {
    assert.deepEqual(parseBind(text), { source, target });
  });
}

for (
  const [text, message] of [
    ["", "--bind: no source provided"],
    [":/dst", "--bind: no source provided"],
    [":", "--bind: no source provided"],
    ["/src:", "--bind: no destination provided"],
    ["/src:/", "--bind: destination can't be /"],
    ["/", "--bind: destination can't be /"],
    // More than upstream refuses: it would put the host's root over the container's.
    ["/src://", "--bind: destination can't be /"],
    ["/src:dst", "--bind: destination must be absolute"],
    ["relative", "--bind: destination must be absolute"],
    [".", "--bind: destination must be absolute"],
  ] as const
) {
  Deno.test(`parseBind() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseBind(text), { message });
  });
}

Deno.test("listDefaultBinds() begins with what no container can do without", () => {
  const binds = listDefaultBinds();
  assert.deepEqual(
    binds.filter(({ missing }) => missing === "fail").map(({ target }) => target),
    ["/dev", "/proc", "/sys"],
  );
  assert.ok(binds.slice(3).every(({ missing }) => missing === "skip"));
  assert.ok(binds.every(({ source, target }) => source === target));
});
