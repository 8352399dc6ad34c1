import assert from "node:assert/strict";
import { canOverlap, runStages } from "../../../lib/build/schedule.ts";

const plan = (...needs: number[][]) => needs.map((each, number) => ({ number, needs: each }));
const signal = new AbortController().signal;

Deno.test("canOverlap() sees whether all stages are in one chain", () => {
  assert.equal(canOverlap(plan([])), false);
  assert.equal(canOverlap(plan([], [0], [1])), false);
  assert.equal(canOverlap(plan([], [0], [0, 1], [2])), false);
  assert.equal(canOverlap(plan([], [])), true);
  assert.equal(canOverlap(plan([], [0], [0], [1, 2])), true);
});

Deno.test("runStages() begins what it can, and nothing before its needs", async () => {
  for (const jobs of [1, 2, 3]) {
    const log: string[] = [];
    let running = 0;
    let most = 0;
    const results = await runStages(plan([], [], [0], [1, 2]), { jobs, signal }, async (stage) => {
      most = Math.max(most, ++running);
      log.push(`${stage.number} begins`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      log.push(`${stage.number} ends`);
      running--;
      return stage.number * 10;
    });
    assert.deepEqual(results, [0, 10, 20, 30]);
    assert.equal(most, Math.min(jobs, 2), log.join(", "));
    for (const [before, after] of [[0, 2], [1, 3], [2, 3]]) {
      assert.ok(log.indexOf(`${before} ends`) < log.indexOf(`${after} begins`), log.join(", "));
    }
  }
});

Deno.test("runStages() does not wait for stages that are not built", async () => {
  const stages = [{ number: 3, needs: [1] }];
  assert.deepEqual(await runStages(stages, { jobs: 2, signal }, () => Promise.resolve("x")), ["x"]);
});

Deno.test("runStages() stops the others when one fails, and throws its error when they have ended", async () => {
  const ended: number[] = [];
  const begun: number[] = [];
  const run = runStages(plan([], [], [1]), { jobs: 2, signal }, async ({ number }, own) => {
    begun.push(number);
    if (number === 0) throw new Error("first");
    await new Promise((resolve) => own.addEventListener("abort", resolve));
    ended.push(number);
    own.throwIfAborted();
  });
  await assert.rejects(run, /first/);
  assert.deepEqual([begun, ended], [[0, 1], [1]]);
});
