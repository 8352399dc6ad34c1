import assert from "node:assert/strict";
import { parseTrialFailure } from "../../../lib/container/trial_failure.ts";

Deno.test("parseTrialFailure() takes init's message apart", () => {
  assert.deepEqual(
    parseTrialFailure(
      "ch-checkns[5]: warning: FUSE error (namespace.c:1 11)\n" +
        "ch-checkns[5]: error: a (b): c (d.c:12 2)\nch-checkns[5]: hint: try this\n",
    ),
    { reason: "a (b): c", errno: 2, file: "d.c", line: 12, remedy: "try this" },
  );
  assert.deepEqual(parseTrialFailure("x[1]: error: no number (d.c:3)\n"), {
    reason: "no number",
    errno: 0,
    file: "d.c",
    line: 3,
    remedy: undefined,
  });
});

Deno.test("parseTrialFailure() finds none in what is no message", () => {
  assert.equal(parseTrialFailure("Killed\n"), undefined);
  assert.equal(parseTrialFailure(""), undefined);
});
