import assert from "node:assert/strict";
import { checkFeature } from "../../cli/run_feature.ts";

for (
  const [feature, release, status] of [
    ["extglob", "4.18.0", 0],
    ["seccomp", "4.18.0", 0],
    ["squash", "4.18.0", 0],
    ["overlayfs", "5.10.0-28-amd64", 1],
    ["overlayfs", "5.11.0", 0],
    ["overlayfs", "6.1.0", 0],
    ["tmpfs-xattrs", "6.5.13", 1],
    ["tmpfs-xattrs", "6.6.0-rc1", 0],
    ["tmpfs-xattrs", "7.0", 0],
    ["tmpfs-xattrs", "nonsense", 1],
  ] as const
) {
  Deno.test(`checkFeature() says ${status} for ${feature} on Linux ${release}`, () => {
    assert.equal(checkFeature(feature, release), status);
  });
}

Deno.test("checkFeature() refuses what it does not know", () => {
  assert.throws(() => checkFeature("x", "6.1"), { message: "unknown feature: x" });
});
