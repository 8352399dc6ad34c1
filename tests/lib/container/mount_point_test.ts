import assert from "node:assert/strict";
import { findMountPoint, listMissingDirectories } from "../../../lib/container/mount_point.ts";
import { fakeHost } from "./fake_host.ts";

Deno.test("findMountPoint() returns the canonical directory", () => {
  const host = fakeHost({ files: { "/mnt/x": null, "/link": { to: "/mnt/x" } } });
  assert.equal(findMountPoint("/link/.", host), "/mnt/x");
});

Deno.test("findMountPoint() refuses what is no directory", () => {
  const host = fakeHost({ files: { "/file": "" } });
  assert.throws(() => findMountPoint("/file", host), { message: "not a directory: /file" });
  assert.throws(() => findMountPoint("/none", host), { message: "can't stat mount point: /none" });
});

Deno.test("listMissingDirectories() lists parents first", () => {
  const host = fakeHost({ files: { "/var/tmp": null } });
  assert.deepEqual(listMissingDirectories("/var/tmp/alice.ch/mnt", host), [
    "/var/tmp/alice.ch",
    "/var/tmp/alice.ch/mnt",
  ]);
  assert.deepEqual(listMissingDirectories("/var/tmp", host), []);
});

Deno.test("listMissingDirectories() refuses a file in its way", () => {
  const host = fakeHost({ files: { "/var/tmp/alice.ch/mnt": "file" } });
  assert.throws(() => listMissingDirectories("/var/tmp/alice.ch/mnt", host), {
    message: "can't mkdir: exists but not a directory: /var/tmp/alice.ch/mnt",
  });
});
