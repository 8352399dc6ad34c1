import assert from "node:assert/strict";
import { formatProgress, ProgressMeter } from "../../cli/progress_meter.ts";

const MEBIBYTE = 2 ** 20;

const cases: readonly [done: number, total: number | undefined, line: string][] = [
  [0, 68 * MEBIBYTE, "m: 0.0/68.0 MiB (0%)"],
  [34 * MEBIBYTE, 68 * MEBIBYTE, "m: 34.0/68.0 MiB (50%)"],
  [68 * MEBIBYTE - 1, 68 * MEBIBYTE, "m: 68.0/68.0 MiB (99%)"],
  [68 * MEBIBYTE, 68 * MEBIBYTE, "m: 68.0/68.0 MiB (100%)"],
  [5 * MEBIBYTE, undefined, "m: 5.0 MiB"],
  [500, 1000, "m: 50%"],
  [0, 0, "m: 100%"],
];

for (const [done, total, line] of cases) {
  Deno.test(`formatProgress() of ${done} of ${total} is “${line}”`, () => {
    assert.equal(formatProgress("m", done, total), line);
  });
}

Deno.test("ProgressMeter shows at most one line a second, and the last one", () => {
  const shown: string[] = [];
  let now = 0;
  let isClosed = false;
  const display = {
    show: (line: string) => void shown.push(line),
    close: () => void (isClosed = true),
    now: () => now,
  };
  const meter = new ProgressMeter(display, "m", 10 * MEBIBYTE);
  for (let done = 1; done <= 10; done++) {
    now += 400;
    meter.update(done * MEBIBYTE);
  }
  meter[Symbol.dispose]();
  meter[Symbol.dispose]();
  assert.deepEqual(shown, [
    "m: 0.0/10.0 MiB (0%)",
    "m: 3.0/10.0 MiB (30%)",
    "m: 6.0/10.0 MiB (60%)",
    "m: 9.0/10.0 MiB (90%)",
    "m: 10.0/10.0 MiB (100%)",
  ]);
  assert(isClosed);
});
