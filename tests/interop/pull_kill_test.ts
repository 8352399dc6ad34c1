// Whenever ch-image pull is killed, the next one works, nothing half-made is to be seen, and what was
// downloaded is used.

import assert from "node:assert/strict";
import { describeImages, describeStorage, killEverywhere } from "../e2e/kill_rounds.ts";
import type { Version } from "../e2e/kill_rounds.ts";
import { FakeRegistry } from "../fake_registry.ts";
import { expect, test, type Workplace } from "../rig.ts";
import { makeTar } from "../tar_archive.ts";

/** Two layers: one with many small files and links, one with a large file and whiteouts. */
function makeLayers(version: Version): Uint8Array<ArrayBuffer>[] {
  const names = Array.from({ length: 40 }, (_, at) => `etc/file${at}`);
  const lower = makeTar([
    { name: "bin/", type: "5" },
    { name: "bin/sh", mode: 0o755, data: "not run" },
    { name: "etc/", type: "5" },
    ...names.map((name) => ({ name, data: `${name} ${version}` })),
    { name: "etc/hard", type: "1", link: "etc/file0" },
    { name: "etc/soft", type: "2", link: "file1" },
  ]);
  const large = new Uint8Array(3 << 20).map((_, at) => (at * 31 + version) >> 7);
  const upper = makeTar([
    { name: "etc/.wh.file2" },
    { name: "etc/file3", data: "above" },
    { name: "large", data: new TextDecoder("latin1").decode(large) },
  ]);
  return [lower, upper];
}

test("a pull killed at any moment leaves the old image or the new one", async (work) => {
  await using registry = new FakeRegistry();
  const command = ["ch-image", "--plain-http", "-ayolo", "pull", `${registry.address}/a/b:1`, "x"];
  const serve = async (version: Version) => {
    registry.blobs.clear();
    await registry.addImage("1", makeLayers(version));
  };
  const settle = async (work: Workplace, version: Version) => {
    expect(await work.run(command), { code: 0 });
    const pulled = await describeImages(work);
    assert.match(
      await work.must("cat storage/img/x/etc/hard"),
      new RegExp(`^etc/file0 ${version}$`),
    );
    await work.must("ch-image delete x && ch-image undelete x");
    assert.deepEqual(await describeImages(work), pulled);
    return await describeStorage(work);
  };
  await killEverywhere(work, {
    command,
    isAlone: true,
    images: [["x"]],
    async begin(work) {
      await serve(1);
      await settle(work, 1);
    },
    // There is an image of the other version; nothing of this one in download cache and build cache.
    async prepare(work, version) {
      await work.must("ch-image build-cache --reset 2>&1");
      await serve(version === 0 ? 1 : 0);
      expect(await work.run(command), { code: 0 });
      await serve(version);
      await work.must("rm storage/dlcache/*");
    },
    settle,
  });
}, "cc");
