import assert from "node:assert/strict";
import { findBundle } from "../../../lib/oci_runtime/bundle.ts";

const REQUEST = {
  id: "buildah-buildah7",
  bundle: undefined,
  pidFile: undefined,
  temporary: undefined,
};

Deno.test("findBundle() takes the first directory that is there", () => {
  const find = (present: readonly string[], changes = {}) =>
    findBundle({ ...REQUEST, ...changes }, (path) => present.includes(path)).path;
  const both = ["/tmp/buildah7", "/var/tmp/buildah7"];
  assert.equal(find(both), "/tmp/buildah7");
  assert.equal(find(both.slice(1)), "/var/tmp/buildah7");
  assert.equal(find(["/t/buildah7", ...both], { temporary: "/t/" }), "/t/buildah7");
  assert.equal(
    find(["/elsewhere"], { bundle: "/elsewhere", pidFile: "/elsewhere/pid" }),
    "/elsewhere",
  );
  assert.throws(() => find([]), {
    message: "can’t infer bundle path; none of these exist: /tmp/buildah7 /var/tmp/buildah7",
  });
});
