// How containers in Slurm's jobs end: exit statuses and signals pass through, and after a job that
// was cancelled or ran out of time there is no process, no mount, and no file in /dev/shm.

import assert from "node:assert/strict";
import { exists, expect, type Result, test, type Workplace } from "../rig.ts";
import { SlurmCluster } from "../slurm.ts";

/** A task that has a child, says when it is ready, and has to be stopped. */
const STAY =
  "sleep 1000 & touch /mnt/0/ready.$SLURM_JOB_NAME.$SLURM_PROCID; while :; do sleep 0.1; done";

interface Job {
  /** Its id, once its tasks are ready. */
  readonly id: string;
  readonly end: Promise<Result>;
}

/** Starts a job of two tasks in one container, which do SCRIPT and then stay. */
async function start(work: Workplace, name: string, image: string, script = ""): Promise<Job> {
  const chRun = ["ch-run", "--join", "-b", "jobs:/mnt/0", image, "--", "sh", "-c", script + STAY];
  const srun = ["srun", `--job-name=${name}`, "--nodelist=n1", "--ntasks=2"];
  const end = work.run([...srun, ...chRun], { limit: 300_000 });
  const ready = [0, 1].map((rank) => `${work.path}/jobs/ready.${name}.${rank}`);
  for (const limit = Date.now() + 120_000; !ready.every(exists);) {
    assert.ok(Date.now() < limit, `${name} is not ready after two minutes`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const id = await work.must(`squeue --noheader --format=%i --name="$1"`, [name]);
  return { id: id.trim(), end };
}

test("srun and sbatch have the exit status of the command in the container", async (work) => {
  const image = work.image();
  await work.must('ch-convert "$1" image.sqfs', [image]);
  await using cluster = await SlurmCluster.start(work);
  for (const kind of ["./image", "image.sqfs"]) {
    const run = (...words: string[]) => work.run(["srun", "--quiet", "ch-run", kind, ...words]);
    expect(await run("--", "sh", "-c", "exit 7"), { code: 7 });
    expect(await run("--", "sh", "-c", "kill -9 $$"), { code: 137 });
    expect(await run("--", "nosuch"), { code: 49, stderr: /can't execve\(2\): nosuch/ });
    expect(await run("-b", "/nosuch:/mnt/0", "--", "true"), { code: 31 });
    // One task fails, and Slurm is told to stop the others.
    const script = "[ $SLURM_PROCID = 1 ] && exit 3; sleep 1000";
    const srun = "srun --quiet --kill-on-bad-exit --ntasks=2 ch-run --join".split(" ");
    expect(await work.run([...srun, kind, "--", "sh", "-c", script]), { code: /* SIGTERM */ 143 });
  }
  work.tree("script", {
    "job.sh": `#!/bin/sh
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=2
#SBATCH --output=job.log
srun ch-run --join image.sqfs -- sh -c 'echo task $SLURM_PROCID of $SLURM_NTASKS'
srun --ntasks=1 --nodes=1 ch-run ./image -- sh -c 'exit 6'
`,
  });
  assert.equal(await cluster.runBatch("script/job.sh"), 6);
  const log = Deno.readTextFileSync(`${work.path}/job.log`).split("\n");
  assert.deepEqual(
    log.filter((line) => line.startsWith("task")).sort(),
    [0, 1, 2, 3].map((rank) => `task ${rank} of 4`),
  );
  await cluster.expectClean();
}, ...["slurm", "fuse"] as const);

test("a job that is signalled, cancelled, or out of time leaves nothing", async (work) => {
  const image = work.image();
  await work.must('ch-convert "$1" image.sqfs', [image]);
  work.tree("jobs", {});
  await using cluster = await SlurmCluster.start(work);
  // Slurm looks at time limits twice a minute: this job meanwhile waits.
  const late = await start(work, "late", "image.sqfs");
  await work.must('scontrol update JobId="$1" EndTime=now', [late.id]);

  for (const kind of ["./image", "image.sqfs"]) {
    const caught = await start(
      work,
      `caught-${kind.length}`,
      kind,
      "trap 'kill $!; exit 5' USR1; ",
    );
    await work.must('scancel --signal=USR1 "$1.0"', [caught.id]);
    expect(await caught.end, { code: 5, stderr: /tasks? 0.*Exited with exit code 5/ });

    const killed = await start(work, `killed-${kind.length}`, kind);
    await work.must('scancel --signal=KILL "$1.0"', [killed.id]);
    expect(await killed.end, { code: 137 });

    // Deaf to SIGTERM, so that Slurm kills it after a while.
    const cancelled = await start(work, `cancelled-${kind.length}`, kind, "trap '' TERM; ");
    await work.must('scancel "$1"', [cancelled.id]);
    // srun itself does not count this as an error.
    expect(await cancelled.end, { stderr: /STEP [0-9.]+ ON n1 CANCELLED AT/ });
  }
  expect(await late.end, { stderr: /CANCELLED [^]* DUE TO TIME LIMIT/ });
  await cluster.expectClean();
}, ...["slurm", "fuse"] as const);
