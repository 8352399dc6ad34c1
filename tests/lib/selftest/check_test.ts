// The table of ch-test's checks. What they find is tried by tests/e2e/self_test_test.ts.

import assert from "node:assert/strict";
import {
  CHECKED_PHASES,
  listPhases,
  PRELUDE,
  SCOPES,
  selectChecks,
} from "../../../lib/selftest/check.ts";

for (const phase of CHECKED_PHASES) {
  Deno.test(`checks of ${phase}: names differ, and scripts are what a shell understands`, () => {
    const checks = selectChecks(phase, "full");
    assert.equal(new Set(checks.map(({ name }) => name)).size, checks.length);
    for (const { name, script } of checks) {
      const { code, stderr } = new Deno.Command("sh", { args: ["-nc", PRELUDE + script] })
        .outputSync();
      assert.equal(code, 0, `${name}: ${new TextDecoder().decode(stderr)}`);
      // Only the last command's "!" would be heeded.
      assert.doesNotMatch(script, /^! /m, name);
    }
  });

  Deno.test(`checks of ${phase}: each scope has those of the one before, and more`, () => {
    const [quick, standard, full] = SCOPES.map((scope) => selectChecks(phase, scope));
    assert(quick!.length > 0 && quick!.length < standard!.length);
    assert(quick!.every((check) => standard!.includes(check)));
    assert(standard!.every((check) => full!.includes(check)));
  });
}

Deno.test("selectChecks() looks for a part of the name", () => {
  const found = selectChecks("run", "full", "read-only");
  assert.deepEqual(found.map(({ name }) => name), ["the image is read-only"]);
  assert.deepEqual(selectChecks("run", "full", "nosuch"), []);
});

Deno.test("listPhases() has root emulation in the full scope only", () => {
  assert.deepEqual(SCOPES.map((scope) => listPhases(scope).join(" ")), [
    "build run",
    "build run",
    "build rootemu run",
  ]);
});
