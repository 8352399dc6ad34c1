import assert from "node:assert/strict";
import { listCrayDirectories } from "../../../lib/fromhost/cray_host.ts";

const RELEASE = "/etc/opt/cray/release/cle-release", COS = "/opt/cray/etc/release/cos";

Deno.test("listCrayDirectories() tells Crays of either kind from other hosts", () => {
  const list = (files: Record<string, string>) =>
    listCrayDirectories({ lstat: (path) => files[path] });
  assert.deepEqual(list({}), []);
  assert.deepEqual(list({ [COS]: "file" }), []);
  assert.deepEqual(list({ [RELEASE]: "symlink", [COS]: "file" }), [
    "/var/lib/hugetlbfs",
    "/var/spool/slurmd",
  ]);
  const ugni = list({ [RELEASE]: "file" });
  assert.equal(ugni.length, 8);
  assert(ugni.includes("/opt/cray/xpmem"));
});
