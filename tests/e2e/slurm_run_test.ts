// ch-run as a task of Slurm, on a cluster of two nodes: where its processes run, who shares a
// container, and that whatever ends a job leaves nothing of it behind.

import assert from "node:assert/strict";
import { expect, test, type Workplace } from "../rig.ts";
import { SlurmCluster } from "../slurm.ts";

const WHERE = "hostname; readlink /proc/self/ns/user";

/** The same image as a directory, as a SquashFS file, and by its name in storage. */
async function makeImages(work: Workplace): Promise<string[]> {
  const image = work.image();
  await work.must('ch-convert "$1" image.sqfs && ch-convert "$1" named', [image]);
  return ["./image", "image.sqfs", "named"];
}

/** What tasks that print WHERE are in: containers by node, each with its number of tasks. */
function countTasks(stdout: string): Record<string, number[]> {
  const nodes: Record<string, Map<string, number>> = {};
  const lines = stdout.trim().split("\n").sort();
  for (const line of lines) {
    const [node, container] = line.split(" ") as [string, string];
    const containers = nodes[node] ??= new Map();
    containers.set(container, (containers.get(container) ?? 0) + 1);
  }
  return Object.fromEntries(
    Object.entries(nodes).map(([node, containers]) => [node, [...containers.values()].sort()]),
  );
}

/** Tasks that wait for each other, COUNT of them, and print WHERE. */
function meet(count: number): string[] {
  const script =
    `mkdir /mnt/0/$SLURM_PROCID; until [ $(ls /mnt/0 | wc -l) = ${count} ]; do sleep 0.05; done; ` +
    `echo $(${WHERE})`;
  return ["sh", "-c", script];
}

test(
  "srun ch-run: tasks on two nodes, apart and together, from every kind of image",
  async (work) => {
    const images = await makeImages(work);
    await using cluster = await SlurmCluster.start(work);
    const run = async (image: string, ...options: string[]) => {
      await work.must("rm -rf met && mkdir met");
      const srun = ["srun", "--quiet", "--nodes=2", "--ntasks-per-node=2", "ch-run", ...options];
      const result = await work.run([...srun, "-b", "met:/mnt/0", image, "--", ...meet(4)]);
      expect(result, { code: 0, stderr: "" });
      return countTasks(result.stdout);
    };
    for (const image of images) {
      assert.deepEqual(await run(image), { n1: [1, 1], n2: [1, 1] });
      assert.deepEqual(await run(image, "--join"), { n1: [2], n2: [2] });
    }
    await cluster.expectClean();
  },
  "slurm",
  "fuse",
);

test("srun ch-run --join: nodes with different numbers of tasks", async (work) => {
  const image = work.image();
  work.tree("met", {});
  await using cluster = await SlurmCluster.start(work);
  const result = await work.run(
    [
      ..."srun --quiet --distribution=arbitrary --ntasks=4 ch-run --join -b met:/mnt/0".split(" "),
      image,
    ]
      .concat("--", meet(4)),
    { env: { SLURM_HOSTFILE: work.tree("hosts", { list: "n1\nn2\nn2\nn2\n" }) + "/list" } },
  );
  expect(result, { code: 0, stderr: "" });
  assert.deepEqual(countTasks(result.stdout), { n1: [1], n2: [3] });
  await cluster.expectClean();
}, "slurm");

test("srun ch-run --join: two jobs on one node do not mix", async (work) => {
  const image = work.image();
  work.tree("met", {});
  await using cluster = await SlurmCluster.start(work);
  // The second tasks of both come when the first of both are in.
  const task =
    `[ $SLURM_PROCID = 0 ] || until [ $(ls met | wc -l) -ge 2 ]; do sleep 0.05; done; exec "$@"`;
  const [sh, c, script] = meet(4);
  const command = [sh!, c!, script!.replace("$SLURM_PROCID", "$SLURM_JOB_ID.$SLURM_PROCID")];
  const chRun = ["ch-run", "--join", "-b", "met:/mnt/0", image, "--", ...command];
  const srun = ["srun", "--quiet", "--nodelist=n1", "--ntasks=2", "sh", "-c", task, "sh", ...chRun];
  const [one, other] = await Promise.all([work.run(srun), work.run(srun)]);
  for (const result of [one, other]) {
    expect(result, { code: 0, stderr: "" });
    assert.deepEqual(countTasks(result.stdout), { n1: [2] });
  }
  assert.notEqual(one.stdout, other.stdout);
  await cluster.expectClean();
}, "slurm");
