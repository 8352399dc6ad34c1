import assert from "node:assert/strict";
import { parseConfig } from "../../../lib/oci_runtime/config.ts";
import { listVariables } from "../../../lib/oci_runtime/plan_container.ts";

const CONFIG = {
  ociVersion: "1.0.2-dev",
  process: {
    args: ["a", "b"],
    env: ["PATH=/bin", "XPATH=/x"],
    cwd: "/w",
    user: { uid: 3, gid: 4 },
  },
  root: { path: "rootfs", readonly: true },
};

const parse = (value: unknown) => parseConfig(new TextEncoder().encode(JSON.stringify(value)));

Deno.test("parseConfig() takes what a container needs", () => {
  assert.deepEqual(parse(CONFIG), {
    args: ["a", "b"],
    environment: ["PATH=/bin", "XPATH=/x"],
    cwd: "/w",
    uid: 3,
    gid: 4,
    root: "rootfs",
    isReadOnly: true,
    unsupported: undefined,
  });
  const least = { ociVersion: "1.1.0", process: { args: ["a"] }, root: { path: "/" } };
  assert.deepEqual([parse(least).uid, parse(least).cwd, parse(least).isReadOnly], [0, "/", false]);
});

Deno.test("parseConfig() refuses other versions and what is no configuration", () => {
  for (const ociVersion of ["1.0.0", "1.2.0", "0.9.9", "2.0.1", "1.0", "x"]) {
    assert.throws(() => parse({ ...CONFIG, ociVersion }), {
      message: `unsupported OCI version: ${ociVersion}`,
    });
  }
  assert.throws(() => parse({ ...CONFIG, root: {} }), {
    message: "config.json: root.path: missing",
  });
  assert.throws(() => parse({ ...CONFIG, process: { args: "x" } }), /args: not a list/);
  assert.throws(() => parseConfig(new TextEncoder().encode("{")), /config\.json: not JSON/);
});

Deno.test("listVariables() puts our directory first in PATH, and in PATH alone", () => {
  assert.deepEqual(listVariables(parse(CONFIG)), [
    "PATH=/ch/bin:/bin",
    "XPATH=/x",
    "TAR_OPTIONS=--no-same-owner",
  ]);
});
