import assert from "node:assert/strict";
import { formatFailure } from "../../cli/checkns.ts";

const SEE = "see: https://man7.org/linux/man-pages/man7/user_namespaces.7.html";

Deno.test("formatFailure() puts init's message in three lines", () => {
  assert.equal(
    formatFailure(
      "ch-checkns[5]: error: can't init user+mount namespaces: No space left on device " +
        "(namespace.c:66 28)\n",
    ),
    "error: namespace.c: 66: can't init user+mount namespaces: No space left on device\n" +
      `errno: 28\n${SEE}\n`,
  );
});

Deno.test("formatFailure() adds the hint", () => {
  assert.equal(
    formatFailure(
      "ch-checkns[5]: error: a (b): c (d.c:1 2)\nch-checkns[5]: hint: try this\n",
    ),
    `error: d.c: 1: a (b): c\nerrno: 2\n${SEE} (hint: try this)\n`,
  );
});

Deno.test("formatFailure() says so where there is no message", () => {
  assert.equal(
    formatFailure("Killed\n"),
    "error: ch-checkns: container set-up ended without a message: Killed\n",
  );
});
