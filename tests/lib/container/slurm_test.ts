import assert from "node:assert/strict";
import { countTasks, nameStep } from "../../../lib/container/slurm.ts";

for (
  const [text, node, count] of [
    ["2", "0", 2],
    ["3(x2),1", "0", 3],
    ["3(x2),1", "1", 3],
    ["3(x2),1", "2", 1],
    ["1,2,1(x10),4", "12", 4],
    // The first number where the rest does not tell.
    ["3(x2),1", "3", 3],
    ["3,1", undefined, 3],
    ["3,1", "", 3],
    ["3,1", "-1", 3],
    ["3,1", "x", 3],
    ["3foo,1", "1", 3],
    [" 3", "0", 3],
    ["-1,2", "1", -1],
  ] as const
) {
  Deno.test(`countTasks() of ${text} on node ${node} is ${count}`, () => {
    assert.equal(countTasks("NAME", text, node), count);
  });
}

for (
  const [text, message] of [
    ["", "NAME: no digits found"],
    ["(x2)", "NAME: no digits found"],
    ["1,99999999999", "NAME: out of range"],
  ] as const
) {
  Deno.test(`countTasks() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => countTasks("NAME", text, "1"), { message });
  });
}

for (
  const [environment, name] of [
    [[], undefined],
    [["SLURM_JOB_ID=12"], undefined],
    [["SLURM_STEP_ID=0"], "0"],
    [["SLURM_STEP_ID=3", "SLURM_JOB_ID=12"], "12.3"],
    [["SLURM_STEP_ID=", "SLURM_JOB_ID=12"], ""],
  ] as const
) {
  Deno.test(`nameStep() of ${JSON.stringify(environment)} is ${name}`, () => {
    assert.equal(nameStep(environment), name);
  });
}
