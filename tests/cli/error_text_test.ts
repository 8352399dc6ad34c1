import assert from "node:assert/strict";
import { describeError, isExpected, traceError } from "../../cli/error_text.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../../lib/error.ts";

const ENOENT = 2;
const failed = (path: string) => new SystemError("openat", path, ENOENT, "tree.c", 7);

/** What Deno itself throws for CALL. */
function catchOsError(call: () => void): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("did not fail");
}

const cases: readonly [error: unknown, text: string][] = [
  [new ChError("what"), "what"],
  [
    new ChError("can’t copy: a", { cause: failed("a") }),
    "can’t copy: a: No such file or directory",
  ],
  [new ChError("can’t copy: a", { cause: failed("") }), "can’t copy: a: No such file or directory"],
  [
    new ChError("can’t copy: a", { cause: failed("b/c") }),
    "can’t copy: a: b/c: No such file or directory",
  ],
  [
    new ChError("x", { cause: new ChError("y", { cause: failed("y") }) }),
    "x: y: No such file or directory",
  ],
  [failed("b/c"), "can’t openat: b/c: No such file or directory"],
  [
    new ChError("bad: a", { cause: new SystemError("inflate", "wrong checksum", 0, "z.c", 1) }),
    "bad: a: wrong checksum",
  ],
  [
    catchOsError(() => Deno.statSync("/nonexistent/x")),
    "can’t stat: /nonexistent/x: No such file or directory",
  ],
  [
    new ChError("can’t look: /nonexistent/x", {
      cause: catchOsError(() => Deno.statSync("/nonexistent/x")),
    }),
    "can’t look: /nonexistent/x: No such file or directory",
  ],
  [
    catchOsError(() => Deno.renameSync("/nonexistent/x", "/nonexistent/y")),
    "can’t rename: /nonexistent/x: No such file or directory",
  ],
];

for (const [error, text] of cases) {
  Deno.test(`describeError() says “${text}”`, () => {
    assert.equal(describeError(error), text);
    assert(isExpected(error));
  });
}

Deno.test("isExpected() tells mistakes in the program from the user’s", () => {
  assert(!isExpected(new TypeError("bug")));
  assert(!isExpected("text"));
});

Deno.test("traceError() names places, those of C as well", () => {
  const trace = traceError(new ChError("x", { cause: failed("y") }));
  assert.match(trace, /^openat tree\.c:7 2 < .*error_text_test\.ts:\d+/);
});
