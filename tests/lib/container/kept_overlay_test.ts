import assert from "node:assert/strict";
import { planKeptOverlay } from "../../../lib/container/kept_overlay.ts";
import type { PlanImage } from "../../../lib/container/plan_image.ts";
import { type FakeFile, fakeFiles, fakeHost } from "./fake_host.ts";

const DIRECTORY: PlanImage = { type: "directory", root: "/images/a" };

function plan(dir: string, files: Readonly<Record<string, FakeFile>> = {}, image = DIRECTORY) {
  return planKeptOverlay(dir, image, fakeHost({ files: { "/images/a": null, ...files } }));
}

Deno.test("planKeptOverlay() makes the last component only", () => {
  assert.deepEqual(plan("/new").first.map(({ op }) => op), ["directory", "hold"]);
  assert.deepEqual(plan("/old", { "/old": null }).first.map(({ op }) => op), ["hold"]);
  assert.throws(() => plan("/no/new"), { message: "--overlay: no such directory: /no/" });
});

Deno.test("planKeptOverlay() follows links to the directory", () => {
  const { overlay } = plan("/link", { "/real/dir": null, "/link": { to: "real/dir" } });
  assert.deepEqual(overlay, { op: "overlay", directory: "/real/dir" });
});

Deno.test("planKeptOverlay() knows a SquashFS image by its superblock, not by its name", () => {
  const superblock = Uint8Array.from({ length: 96 }, (_, index) => index);
  const image: PlanImage = {
    type: "squash",
    file: "/images/x.sqfs",
    mountPoint: "/mnt",
    missing: [],
    files: fakeFiles({}),
  };
  const files = { "/images/x.sqfs": superblock, "/o": null };
  const [hold] = plan("/o", files, image).first;
  const record = new TextDecoder().decode((hold as { content: Uint8Array }).content);
  assert.match(
    record,
    /^squashfs 7060504\.b0a0908\.2f2e2d2c2b2a2928(\.[0-9a-f]+){6} \/images\/x\.sqfs\n$/,
  );
  assert.equal(
    plan("/o", { ...files, "/o/image": record.replace("/images", "/elsewhere") }, image).warning,
    "",
  );
  for (const at of [4, 8, 40, 64, 95]) {
    const changed = superblock.slice();
    changed[at] = 0;
    assert.equal(
      plan("/o", { ...files, "/images/x.sqfs": changed, "/o/image": record }, image).warning,
      "overlay was made with another image: /o: /images/x.sqfs",
    );
  }
});

const MOUNTS = (type: string) => ({
  "/proc/self/mountinfo": `1 0 0:1 / / rw - ext4 x rw\n2 1 0:2 / /o rw - ${type} x rw\n`,
});

for (
  const [what, dir, files, message] of [
    ["an empty word", "", {}, "--overlay: directory can't be empty string"],
    ["a file", "/f", { "/f": "" }, "--overlay: not a directory: /f"],
    ["a directory in the image", "/images/a/o", {}, "--overlay: inside the image: /images/a/o"],
    [
      "a directory the image lies in",
      "/images",
      { "/images/upper/a": null },
      "--overlay: the image lies in it: /images/upper/a",
    ],
    [
      "a record that is a directory",
      "/o",
      { "/o/image/x": "" },
      "--overlay: not a file: /o/image",
    ],
    ...["nfs4", "lustre", "fuse.sshfs", "vfat"].map((type) =>
      [
        `a file system ${type}`,
        "/o/x",
        { "/o": null, ...MOUNTS(type) },
        `can't use for an overlay, file system is ${type}: /o/x`,
      ] as const
    ),
  ] as const
) {
  Deno.test(`planKeptOverlay() refuses ${what}`, () => {
    const root = message.split(": ").at(-1)!;
    const image = message.includes("lies in it") ? { ...DIRECTORY, root } : DIRECTORY;
    assert.throws(() => plan(dir, files, image), { message });
  });
}

Deno.test("planKeptOverlay() takes local file systems", () => {
  for (const type of ["ext4", "xfs", "btrfs", "tmpfs"]) {
    assert.equal(plan("/o/x", { "/o": null, ...MOUNTS(type) }).warning, "");
  }
});
