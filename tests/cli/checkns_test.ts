import assert from "node:assert/strict";
import { formatAbilities, formatJson } from "../../cli/ability_report.ts";
import { formatFailure } from "../../cli/checkns.ts";
import type { Ability } from "../../lib/container/abilities.ts";

const SEE = "see: https://man7.org/linux/man-pages/man7/user_namespaces.7.html";
const FAILURE = {
  reason: "can't init user+mount namespaces: No space left on device",
  errno: 28,
  file: "namespace.c",
  line: 66,
  remedy: undefined,
};

Deno.test("formatFailure() puts a failure in three lines", () => {
  assert.equal(
    formatFailure(FAILURE),
    "error: namespace.c: 66: can't init user+mount namespaces: No space left on device\n" +
      `errno: 28\n${SEE}\n`,
  );
});

Deno.test("formatFailure() adds what to do", () => {
  assert.match(
    formatFailure({ ...FAILURE, remedy: "try this" }),
    /\nsee: \S+ \(hint: try this\)\n$/,
  );
});

const ABLE: readonly Ability[] = [
  { name: "namespaces", purpose: "every container", state: "ok" },
  {
    name: "squashfs",
    purpose: "SquashFS images",
    state: "missing",
    ...FAILURE,
    remedy: "try this",
  },
];
const UNABLE: readonly Ability[] = [
  { name: "namespaces", purpose: "every container", state: "missing", ...FAILURE, errno: 0 },
  { name: "squashfs", purpose: "SquashFS images", state: "untried" },
];

Deno.test("formatAbilities() has a line each, and what to do", () => {
  assert.equal(
    formatAbilities(ABLE),
    `ok       namespaces     every container
missing  squashfs       SquashFS images
         ${FAILURE.reason} (errno 28)
         hint: try this
`,
  );
  assert.equal(
    formatAbilities(UNABLE),
    `missing  namespaces     every container
         ${FAILURE.reason}
untried  squashfs       SquashFS images
`,
  );
});

Deno.test("formatAbilities() says what is there, and what is not but need not be", () => {
  const purpose = "something";
  assert.equal(
    formatAbilities([
      { name: "mpi", purpose, state: "ok", detail: "Open MPI" },
      { name: "gpu", purpose, state: "none", detail: "no device" },
    ]),
    `ok       mpi            something
         Open MPI
none     gpu            something
         no device
`,
  );
});

Deno.test("formatJson() says the same to programs", () => {
  const { ok, kernel, abilities } = JSON.parse(formatJson(ABLE, "6.1.0"));
  assert.deepEqual([ok, kernel], [true, "6.1.0"]);
  assert.deepEqual(abilities, [
    { name: "namespaces", purpose: "every container", state: "ok" },
    {
      name: "squashfs",
      purpose: "SquashFS images",
      state: "missing",
      reason: FAILURE.reason,
      errno: 28,
      remedy: "try this",
    },
  ]);
  assert.equal(JSON.parse(formatJson(UNABLE, "")).ok, false);
});
