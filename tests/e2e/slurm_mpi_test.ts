// A real MPI program that Slurm starts in containers, on one node and on two: the ranks find each
// other by the PMI that fits the MPI of the image.

import assert from "node:assert/strict";
import { expectApart, expectTogether, provideMpiHello, readHello } from "../mpi_hello.ts";
import { expect, test } from "../rig.ts";
import { SlurmCluster } from "../slurm.ts";

test(
  "srun: ranks of Open MPI (pmix) and MPICH (pmi2), in containers of their own and in one",
  async (work) => {
    const squash = await provideMpiHello(work);
    await using cluster = await SlurmCluster.start(work);
    const run = (words: string) => work.run([...words.split(" ")], { limit: 180_000 });

    const apart = await run("srun --mpi=pmix -n2 ch-run mpihello -- /hello/hello");
    expectApart(apart, 2);
    assert.match(apart.stderr, /CMA is\s+not available due to different user namespaces/);
    for (const image of ["mpihello", squash]) {
      const openmpi = await run(
        `srun --quiet --mpi=pmix -n2 ch-run --join ${image} -- /hello/hello`,
      );
      expectTogether(openmpi, 2);
      assert.equal(openmpi.stderr, "");
      const mpich = await run(
        `srun --quiet --mpi=pmi2 -n2 ch-run --join ${image} -- /hello/hello.mpich`,
      );
      expectTogether(mpich, 2);
      assert.equal(mpich.stderr, "");
    }

    // MPICH of Debian 12 has a fault in MPI_Finalize() between nodes, with containers and without.
    const srun = "srun --quiet --mpi=pmix -N2 --ntasks-per-node=2";
    const { hosts, containers, readers } = readHello(
      await run(`${srun} ch-run --join mpihello -- /hello/hello`),
    );
    assert.deepEqual(hosts, ["n1", "n1", "n2", "n2"]);
    assert.deepEqual([containers[0], containers[2]], [containers[1], containers[3]]);
    assert.equal(readers, 4);
    await cluster.expectClean();
  },
  "slurm",
  "fuse",
  "debian",
);

test("srun: without the PMI that they want, ranks are jobs of their own", async (work) => {
  await provideMpiHello(work);
  await using cluster = await SlurmCluster.start(work);
  const run = (words: string) => work.run([...words.split(" ")], { limit: 180_000 });

  const independent = await run("srun -n2 ch-run mpihello -- /hello/hello.mpich");
  expect(independent, { code: 0, stdout: /^0: init ok n1, 1 ranks[^]*^0: init ok n1, 1 ranks/m });
  expect(await run("srun -n2 ch-run mpihello -- /hello/hello"), {
    code: 1,
    stderr: /OMPI was not built with SLURM's PMI support/,
  });
  expect(await run("srun --mpi=list"), { stdout: /pmix\n[^]*pmi2/ });
  // One rank in an allocation, without a launcher: it must not look for Slurm's PMI.
  const alone = await run("salloc --quiet -n1 ch-run --unset-env=SLURM* mpihello -- /hello/hello");
  expectTogether(alone, 1);
  await cluster.expectClean();
}, ...["slurm", "debian"] as const);
