// What Slurm tells a task in its environment about the processes that it was started with.

import { parseInteger } from "./integer.ts";
import { findVariable } from "./variables.ts";

/**
 * The tasks of a step on the node with index NODE ($SLURM_NODEID). TEXT, the value of NAME, has them
 * for all nodes: "3(x2),1" is three on each of the first two, one on the last. Where TEXT does not
 * tell, or nobody knows the node, it is the first number, as in Charliecloud.
 *
 * Throws ChError if TEXT does not begin with a number.
 */
export function countTasks(name: string, text: string, node: string | undefined): number {
  const first = parseInteger(name, text, "ignored");
  if (node === undefined || !/^\d+$/.test(node)) return first;
  let index = Number(node);
  for (const part of text.split(",")) {
    const match = /^(\d+)(?:\(x(\d+)\))?$/.exec(part);
    if (match === null) return first;
    index -= Number(match[2] ?? 1);
    if (index < 0) return parseInteger(name, match[1]!);
  }
  return first;
}

/**
 * What the tasks of this step on this node have in common and no others, as part of a file's name;
 * undefined if there is no step. The step alone would do for a node that has one job of the user.
 */
export function nameStep(environment: readonly string[]): string | undefined {
  const step = findVariable(environment, "SLURM_STEP_ID");
  const job = findVariable(environment, "SLURM_JOB_ID");
  if (step === undefined || step === "" || job === undefined) return step;
  return `${job}.${step}`;
}
