import assert from "node:assert/strict";
import { describeRunFailure, locateFailure } from "../../../lib/build/failure.ts";
import type { ForceMode } from "../../../lib/build/force.ts";
import { ChError } from "../../../lib/error.ts";

Deno.test("locateFailure() keeps message, hint and cause", () => {
  const cause = new Error("c");
  const error = locateFailure(new ChError("m", { hint: "h", cause }), "D", 7, "COPY x");
  assert.deepEqual([error.message, error.hint, error.cause], [
    "m",
    "at D:7: COPY x\nhint: h",
    cause,
  ]);
  assert.equal(locateFailure(new ChError("m"), "D", -1, "LABEL x").hint, "at D: LABEL x");
});

const CASES: readonly (readonly [string, ForceMode, number, string[], RegExp | undefined])[] = [
  ["false", "seccomp", 1, [], undefined],
  ["false", "seccomp", 1, ["a", "b"], /^it printed last:\n {2}a\n {2}b$/],
  ["nosuch", "seccomp", 127, [], /not in the image/],
  ["x", "seccomp", 126, [], /could not execute/],
  ["x", "seccomp", 49, [], /could not be executed/],
  ["x", "seccomp", 31, [], /container could not be made/],
  ["x", "seccomp", -9, [], /memory/],
  ["x", "seccomp", 137, [], /memory/],
  ["mount", "seccomp", 1, ["Operation not permitted"], /--force=fakeroot might/],
  ["mount", "fakeroot", 1, ["Operation not permitted"], /--force=seccomp might/],
  ["x", "none", 1, ["x: Operation not permitted"], /--force=seccomp would help/],
  ["chown 1 x", "none", 1, ["chown: x: Invalid argument"], /--force=seccomp would help/],
  ["apt-get install x", "none", 100, [], /--force=seccomp could help/],
  ["make", "none", 2, ["error: Invalid argument"], /--force would hardly help/],
];

for (const [command, mode, status, lines, hint] of CASES) {
  Deno.test(`describeRunFailure() of ${command}, ${mode}, ${status}, ${lines.join(" ")}`, () => {
    const argv = ["/bin/sh", "-c", command];
    const error = describeRunFailure({ argv }, status, lines, { mode });
    assert.equal(error.message, `build failed: RUN command exited with ${status}`);
    if (hint === undefined) assert.equal(error.hint, undefined);
    else assert.match(error.hint!, hint);
  });
}

Deno.test("describeRunFailure() disarms what a command printed", () => {
  const error = describeRunFailure({ argv: [] }, 1, ["\x1b]0;evil\x07"], { mode: "seccomp" });
  assert.ok(!error.hint!.includes("\x1b"), error.hint);
});
