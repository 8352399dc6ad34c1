// A real MPI program in containers, started inside or by the host's mpirun: ranks are one job
// wherever they run, and with --join they read each other's memory, which is what it is for.
// What Slurm starts is in slurm_mpi_test.ts.

import assert from "node:assert/strict";
import { expectApart, expectTogether, provideMpiHello } from "../mpi_hello.ts";
import { exists, expect, test } from "../rig.ts";

const LIMIT = { limit: 180_000 };

/** The MPIs, their mpirun on a machine with fewer CPUs than ranks, and their program in the image. */
const MPIS = {
  openmpi: {
    mpirun: "mpirun.openmpi --mca plm isolated --oversubscribe -np",
    inside: "mpirun --oversubscribe -np",
    program: "/hello/hello",
  },
  mpich: {
    mpirun: "mpiexec.mpich -np",
    inside: "mpiexec.mpich -np",
    program: "/hello/hello.mpich",
  },
} as const;

for (const mpi of ["openmpi", "mpich"] as const) {
  const { mpirun, inside, program } = MPIS[mpi];

  test(
    `${mpi}: ranks in one container`,
    async (work) => {
      await provideMpiHello(work);
      const run = (words: string) => work.run([...words.split(" "), program], LIMIT);
      expectTogether(await run("ch-run mpihello --"), 1);
      expectTogether(await run(`ch-run mpihello -- ${inside} 2`), 2);
    },
    "debian",
  );

  test(
    `${mpi}: ranks that the host's mpirun starts join each other`,
    async (work) => {
      const squash = await provideMpiHello(work);
      const before = listLeftovers();
      const run = (ranks: number, image: string) =>
        work.run([...`${mpirun} ${ranks} ch-run --join`.split(" "), image, "--", program], LIMIT);
      // Size and name of the group are the launcher's.
      for (const [ranks, image] of [[1, "mpihello"], [2, squash], [16, "mpihello"]] as const) {
        const result = await run(ranks, image);
        expectTogether(result, ranks);
        assert.equal(result.stderr, "");
      }
      expectTogether(await run(64, squash), 64);
      assert.deepEqual(listLeftovers(), before);
      assert.deepEqual(work.findMounts(), []);
    },
    "debian",
    "fuse",
    mpi,
  );
}

test("openmpi: ranks that do not join are told about it by Open MPI", async (work) => {
  const squash = await provideMpiHello(work);
  const { mpirun, program } = MPIS.openmpi;
  for (const image of ["mpihello", squash]) {
    const result = await work.run([...`${mpirun} 2 ch-run`.split(" "), image, "--", program]);
    expectApart(result, 2);
    // Open MPI's mpirun sometimes fails to read what two ranks want to say at the same time.
    assert.match(result.stderr, /CMA is\s+not available due to different user|show_help\.c/);
  }
  // The way out for those who must not join.
  const env = { OMPI_MCA_btl_vader_single_copy_mechanism: "none" };
  const quiet = await work.run([...`${mpirun} 2 ch-run mpihello --`.split(" "), program], { env });
  expectApart(quiet, 2);
  assert.equal(quiet.stderr, "");
}, ...["debian", "fuse", "openmpi"] as const);

test("mpich: ranks that do not join can be told to share memory in another way", async (work) => {
  await provideMpiHello(work);
  const { mpirun, program } = MPIS.mpich;
  const command = [...`${mpirun} 2 ch-run mpihello --`.split(" "), program];
  expect(await work.run(command), { stdout: /UCX +ERROR [^]*Permission denied/ });
  const env = { UCX_POSIX_USE_PROC_LINK: "n", UCX_TLS: "^cma" };
  expectApart(await work.run(command, { env }), 2);
}, ...["debian", "mpich"] as const);

test("mpicc in a container makes a program that the host has", async (work) => {
  await provideMpiHello(work);
  work.tree("src", {});
  await work.must(
    "cd src && ch-run -b .:/mnt/0 --cd /mnt/0 mpihello -- mpicc.openmpi /hello/hello.c -o hello",
  );
  const { uid, mode } = Deno.statSync(`${work.path}/src/hello`);
  assert.equal(uid, Deno.statSync(work.path).uid);
  assert.equal(mode! & 0o111, 0o111);
  expectTogether(await work.run("ch-run -b src:/mnt/0 mpihello -- /mnt/0/hello".split(" ")), 1);
}, "debian");

/** What groups of mpirun's ranks have left: they are called by its process ID. Other tests have tags of their own. */
function listLeftovers(): string[] {
  return [...Deno.readDirSync("/dev/shm")].map(({ name }) => name).filter((name) => {
    const pid = /ch-run_(?:shm|sem)-(\d+)$/.exec(name)?.[1];
    return pid !== undefined && !exists(`/proc/${pid}`);
  });
}
