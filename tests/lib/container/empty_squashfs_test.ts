import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { SquashfsReader } from "../../../ffi/squashfs_reader.ts";
import { makeEmptySquashfs } from "../../../lib/container/empty_squashfs.ts";

function withImage(test: (path: string) => void): void {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeFileSync(path, makeEmptySquashfs());
    test(path);
  } finally {
    Deno.removeSync(path);
  }
}

Deno.test("makeEmptySquashfs() makes what our reader takes for an empty directory", () =>
  withImage((path) => {
    using reader = new SquashfsReader(path);
    const root = reader.readInode(reader.root);
    assert.equal(root.mode, 0o755);
    assert.deepEqual([...reader.list(root.ref)], []);
  }));

const hasUnsquashfs = spawnSync("unsquashfs", ["-version"]).error === undefined;

Deno.test({
  name: "makeEmptySquashfs() makes what unsquashfs takes for one",
  ignore: !hasUnsquashfs && Deno.env.get("CH_MUST_WORK") !== "1",
  fn: () =>
    withImage((path) => {
      const { status, stdout } = spawnSync("unsquashfs", ["-ll", path], { encoding: "utf8" });
      assert.equal(status, 0);
      assert.match(stdout, /^drwxr-xr-x root\/root .* squashfs-root\n$/);
    }),
});
