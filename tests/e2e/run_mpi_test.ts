// Real MPI programs in containers, started by the host's mpirun: with --join ranks read each other's
// memory, which is what it is for.

import assert from "node:assert/strict";
import { expect, rig, test, type Workplace } from "../rig.ts";

const MINUTE = 60_000;
const RANKS = 4;
const ALL_READ = Array.from(
  { length: RANKS },
  (_, rank) => `rank ${rank} read: hello from rank ${(rank + RANKS - 1) % RANKS} of ${RANKS}`,
);

/** Builds examples/mpi, which has the same program for both MPIs, and tells its directory. */
async function buildHello(work: Workplace): Promise<string> {
  const files = ["Dockerfile", "hello.c"].map((name) =>
    [`mpi/${name}`, Deno.readTextFileSync(`${rig.projectRoot}/examples/mpi/${name}`)] as const
  );
  work.tree(".", Object.fromEntries(files));
  await work.must(
    'ch-image import "$1" debian && ch-image build -t mpi mpi >log 2>&1 || { tail log >&2; false; }',
    [rig.debianTar],
    { limit: 10 * MINUTE },
  );
  return "mpi";
}

test(
  "mpirun of Open MPI and MPICH: ranks in one container read each other's memory",
  async (work) => {
    const image = await buildHello(work);
    const openmpi = ["mpirun.openmpi", "--mca", "plm", "isolated", "--oversubscribe", "-np"];
    const mpich = ["mpirun.mpich", "-np"];
    const run = (
      mpirun: readonly string[],
      options: readonly string[],
      env: Readonly<Record<string, string>> = {},
    ) =>
      work.run([
        ...mpirun,
        `${RANKS}`,
        "ch-run",
        ...options,
        image,
        "--",
        `/usr/local/bin/hello.${mpirun[0]!.split(".")[1]}`,
      ], { env, limit: 2 * MINUTE });

    for (
      const [mpirun, options, env] of [
        [openmpi, ["--join"]], // size and tag from the launcher
        [mpich, [`--join-ct=${RANKS}`]],
        [mpich, ["-j"], { SLURM_CPUS_ON_NODE: `${RANKS}` }],
      ] as const
    ) {
      const result = await run(mpirun, options, env);
      expect(result, { code: 0 });
      assert.deepEqual(result.stdout.trim().split("\n").sort(), ALL_READ);
    }

    // In containers of their own they are refused; MPICH does not even start.
    const apart = await run(openmpi, []);
    expect(apart, { code: 0 });
    for (let rank = 0; rank < RANKS; rank++) {
      assert.match(
        apart.stdout,
        new RegExp(`^rank ${rank} cannot read rank \\d: Operation not permitted$`, "m"),
      );
    }
    assert.notEqual((await run(mpich, [])).code, 0);
  },
  "debian",
  "openmpi",
  "mpich",
);
