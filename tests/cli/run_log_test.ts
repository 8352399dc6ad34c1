import assert from "node:assert/strict";
import { RunLog } from "../../cli/run_log.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../../lib/error.ts";
import { TextWriter } from "./text_writer.ts";

function newLog(verbosity = 0) {
  const out = new TextWriter();
  const log = new RunLog("ch-run", 42, out);
  log.verbosity = verbosity;
  return { log, out };
}

const LEVELS = ["trace", "debug", "verbose", "info", "warning"] as const;

// spec ch-run §9.2
for (
  const [verbosity, shown] of [
    [-3, []],
    [-2, []],
    [-1, ["warning: warning"]],
    [0, ["info", "warning: warning"]],
    [1, ["verbose", "info", "warning: warning"]],
    [2, ["debug", "verbose", "info", "warning: warning"]],
    [3, ["trace", "debug", "verbose", "info", "warning: warning"]],
  ] as const
) {
  Deno.test(`RunLog at verbosity ${verbosity} shows ${shown.length} levels`, () => {
    const { log, out } = newLog(verbosity);
    for (const level of LEVELS) log.log(level, level);
    const lines = shown.map((text) => `ch-run[42]: ${text} (PLACE)`);
    assert.deepEqual(out.lines, lines.length === 0 ? [""] : lines);
  });
}

Deno.test("RunLog shows errors at every verbosity, with their hint", () => {
  const { log, out } = newLog(-3);
  log.error(new ChError("can't do it", { hint: "try something else" }));
  assert.deepEqual(out.lines, [
    "ch-run[42]: error: can't do it (PLACE)",
    "ch-run[42]: hint: try something else",
  ]);
});

Deno.test("RunLog gives reason, place and errno of the failed call", () => {
  const { log, out } = newLog();
  const cause = new SystemError("stat", "/x", 2, "path.c", 17);
  log.error(new ChError("can't stat: /x", { cause }));
  log.error(cause);
  assert.equal(
    out.text,
    "ch-run[42]: error: can't stat: /x: No such file or directory (path.c:17 2)\n" +
      "ch-run[42]: error: please report this bug: No such file or directory (path.c:17 2)\n",
  );
});

Deno.test("RunLog names the line that speaks", () => {
  const { log, out } = newLog();
  log.warning("here");
  assert.match(out.text, /^ch-run\[42\]: warning: here \(run_log_test\.ts:\d+\)\n$/);
});

Deno.test("RunLog writes bytes that are not UTF-8 as they are", () => {
  const bytes: number[] = [];
  const log = new RunLog("ch-run", 42, {
    writeSync: (chunk) => {
      bytes.push(...chunk);
      return chunk.length;
    },
  });
  log.warning("x\udcffx");
  assert.ok(bytes.includes(0xff));
});

Deno.test("RunLog repeats warnings as they were", () => {
  const { log, out } = newLog();
  log.warning("one");
  log.warning("two");
  out.text = "";
  log.repeatWarnings();
  assert.deepEqual(out.lines, [
    "ch-run[42]: warning: reprinting first 2 warning(s) (PLACE)",
    "ch-run[42]: warning: one (PLACE)",
    "ch-run[42]: warning: two (PLACE)",
  ]);
});

Deno.test("RunLog repeats nothing where nothing was shown", () => {
  for (const { log, out } of [newLog(), newLog(-2)]) {
    if (log.verbosity < 0) log.warning("unseen");
    log.repeatWarnings();
    assert.equal(out.text, "");
    assert.equal(log.warnings, "");
  }
});

Deno.test("RunLog keeps the first 4096 bytes of warnings, none after one that does not fit", () => {
  const { log, out } = newLog();
  log.warning("x".repeat(3900));
  log.warning("y".repeat(200));
  log.warning("z");
  out.text = "";
  log.repeatWarnings();
  assert.equal(out.lines.length, 2);
  assert.match(out.lines[0]!, /first 1 warning/);
});
