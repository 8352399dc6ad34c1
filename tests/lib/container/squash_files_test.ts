import assert from "node:assert/strict";
import type { Entry } from "../../../lib/layer/entry.ts";
import { openSquashFiles } from "../../../lib/container/squash_files.ts";
import { findPlace } from "../../../lib/container/view.ts";
import { SquashfsWriter } from "../../../lib/squashfs/writer.ts";

const COMMON = { mode: 0o755, uid: 0, gid: 0, mtime: 0, mtimeNsec: 0 };
const TEXT = new TextEncoder().encode("A=1\n");

async function* chunks() {
  yield TEXT;
}

const listEntries = (): readonly Entry[] => [
  { ...COMMON, type: "directory", path: "" },
  { ...COMMON, type: "directory", path: "ch" },
  {
    ...COMMON,
    type: "file",
    path: "ch/environment",
    size: TEXT.length,
    content: { chunks: chunks() },
  },
  { ...COMMON, type: "directory", path: "home" },
  { ...COMMON, type: "symlink", path: "link", target: "/ch/environment" },
  { ...COMMON, type: "fifo", path: "pipe" },
  { ...COMMON, type: "symlink", path: "root", target: "home" },
];

async function withImage(test: (image: string) => void): Promise<void> {
  const directory = Deno.makeTempDirSync();
  try {
    const image = `${directory}/image.sqfs`;
    using writer = new SquashfsWriter(image);
    for (const entry of listEntries()) await writer.write(entry);
    await writer.finish();
    test(image);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("openSquashFiles() tells kinds without following links", () =>
  withImage((image) => {
    using files = openSquashFiles(image);
    for (
      const [path, kind] of [
        ["/", "directory"],
        ["/ch", "directory"],
        ["/ch/environment", "file"],
        ["/link", "symlink"],
        ["/root", "symlink"],
        ["/pipe", "other"],
        ["/nothing", undefined],
        ["/ch/nothing", undefined],
        ["/ch/environment/x", undefined],
        ["/root/x", undefined],
      ] as const
    ) {
      assert.equal(files.lstat(path), kind, path);
    }
  }));

Deno.test("openSquashFiles() reads files and links", () =>
  withImage((image) => {
    using files = openSquashFiles(image);
    assert.deepEqual(files.readFile("/ch/environment"), TEXT);
    assert.equal(files.readLink("/link"), "/ch/environment");
    assert.throws(() => files.readFile("/nothing"), { code: "ENOENT" });
    assert.throws(() => files.readLink("/nothing"), { code: "ENOENT" });
    const place = findPlace("/link", [{ files, source: "/", target: "/" }]);
    assert.equal(place?.path, "/ch/environment");
  }));

Deno.test("openSquashFiles() refuses what is no image", () =>
  withImage((image) => {
    Deno.truncateSync(image, 200);
    assert.throws(() => openSquashFiles(image), { message: `can't open SquashFS: ${image}` });
  }));
