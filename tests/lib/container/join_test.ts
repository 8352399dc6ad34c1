import assert from "node:assert/strict";
import { formatPlan } from "../../../lib/container/format_plan.ts";
import {
  findPeerGroup,
  findProcessRoot,
  type GroupRequest,
  type Join,
} from "../../../lib/container/join.ts";
import { planRun } from "../../../lib/container/plan.ts";
import { fakeHost } from "./fake_host.ts";

const OMPI = "OMPI_COMM_WORLD_LOCAL_SIZE";
const TASKS = "SLURM_STEP_TASKS_PER_NODE";
const CPUS = "SLURM_CPUS_ON_NODE";
const HYDRA = "MPI_LOCALNRANKS";

function find(request: Partial<GroupRequest>, environment: readonly string[]) {
  const notes: string[] = [];
  const group = findPeerGroup(
    { count: 0, tag: undefined, ...request },
    fakeHost({ environment }),
    (text) => notes.push(text),
  );
  return { ...group, notes };
}

for (
  const [what, request, environment, count, tag, from] of [
    ["options", { count: 3, tag: "a" }, [`${OMPI}=4`, "SLURM_STEP_ID=9"], 3, "a", [
      "join: peer group size from command line",
      "join: peer group tag from command line",
    ]],
    ["Open MPI's variable first", {}, [`${CPUS}=6`, `${TASKS}=5`, `${OMPI}=4`], 4, "4711", [
      `join: peer group size from ${OMPI}`,
      "join: peer group tag from getppid(2)",
    ]],
    [
      "Slurm's tasks before its CPUs",
      {},
      [`${CPUS}=6`, `${TASKS}=5(x2),3`, "SLURM_STEP_ID=9"],
      5,
      "9",
      [
        `join: peer group size from ${TASKS}`,
        "join: peer group tag from SLURM_STEP_ID",
      ],
    ],
    ["MPICH's variable before Slurm's", {}, [`${TASKS}=1(x2)`, `${HYDRA}=4`], 4, "4711", [
      `join: peer group size from ${HYDRA}`,
      "join: peer group tag from getppid(2)",
    ]],
    [
      "the tasks of this node, and the job",
      {},
      [`${TASKS}=5(x2),3`, "SLURM_NODEID=2", "SLURM_JOB_ID=12", "SLURM_STEP_ID=0"],
      3,
      "12.0",
      [`join: peer group size from ${TASKS}`, "join: peer group tag from SLURM_STEP_ID"],
    ],
    ["Slurm's CPUs at last", { tag: "b c" }, [`${CPUS}= 6foo`], 6, "b c", [
      `join: peer group size from ${CPUS}`,
      "join: peer group tag from command line",
    ]],
    ["a size of 0 as none", { count: 0, tag: "t" }, [`${OMPI}=2`], 2, "t", [
      `join: peer group size from ${OMPI}`,
      "join: peer group tag from command line",
    ]],
  ] as const
) {
  Deno.test(`findPeerGroup() takes ${what}`, () => {
    assert.deepEqual(find(request, environment), { kind: "group", tag, count, notes: from });
  });
}

for (
  const [what, request, environment, message] of [
    ["no size", { tag: "t" }, [], "join: no valid peer group size found"],
    ["a negative size", { count: -1 }, [`${OMPI}=2`], "join: no valid peer group size found"],
    ["a variable of 0", {}, [`${OMPI}=0`, `${TASKS}=2`], "join: no valid peer group size found"],
    [
      "an empty variable before a good one",
      {},
      [`${OMPI}=`, `${TASKS}=2`],
      `${OMPI}: no digits found`,
    ],
    ["a bad variable", {}, [`${CPUS}=x1`], `${CPUS}: no digits found`],
    ["a variable too large", {}, [`${TASKS}=2147483648`], `${TASKS}: out of range`],
    ["an empty tag", { count: 1, tag: "" }, [], "join: peer group tag cannot be empty string"],
    [
      "an empty step",
      { count: 1 },
      ["SLURM_STEP_ID="],
      "join: peer group tag cannot be empty string",
    ],
    [
      "an empty step of a job",
      { count: 1 },
      ["SLURM_JOB_ID=12", "SLURM_STEP_ID="],
      "join: peer group tag cannot be empty string",
    ],
    [
      "a tag with a slash",
      { count: 1, tag: "a/b" },
      [],
      "join: peer group tag cannot be part of a file name: a/b",
    ],
  ] as const
) {
  Deno.test(`findPeerGroup() refuses ${what}`, () => {
    assert.throws(() => find(request, environment), { message });
  });
}

Deno.test("findPeerGroup() takes a tag as long as file names allow", () => {
  assert.equal(find({ count: 1, tag: "é".repeat(120) }, []).tag.length, 120);
  assert.throws(() => find({ count: 1, tag: "é".repeat(120) + "x" }, []));
});

Deno.test("findProcessRoot() tells a missing process from one that cannot be entered", () => {
  const host = fakeHost({ files: { "/proc/5/ns/user": "", "/proc/6/ns/user": { errno: 13 } } });
  assert.equal(findProcessRoot(5, host), "/proc/5/root");
  assert.throws(() => findProcessRoot(6, host), { message: "join: can't open /proc/6/ns/user" });
  assert.throws(() => findProcessRoot(7, host), {
    message: "join: no PID 7: /proc/7/ns/user not found",
  });
  assert.throws(() => findProcessRoot(-1, host), {
    message: "join: no PID -1: /proc/-1/ns/user not found",
  });
});

function plan(join: Join, root: string): string[] {
  const options = {
    program: "ch-run",
    verbosity: 1,
    argv: ["true"],
    imageCommand: false,
    cwd: "/d",
    uid: 0,
    gid: 0,
    binds: [{ source: "/a", target: "/b" }],
    home: undefined,
    user: "alice",
    privateTmp: false,
    passwd: true,
    seccomp: true,
    write: false,
    overlaySize: undefined,
    overlayDir: undefined,
    environment: [{ op: "image", separator: "\n" }] as const,
    expand: true,
    join,
  };
  const host = fakeHost({
    files: {
      "/sys": null,
      "/image/ch/environment": "A=image",
      "/proc/5/root/ch/environment": "A=process",
      "/proc/5/root/root": null,
    },
  });
  const log = { warning: assert.fail, warnings: "" };
  return formatPlan(planRun(options, { type: "directory", root }, host, log)).trimEnd().split("\n");
}

Deno.test("planRun() puts the whole container between the two steps of a join", () => {
  const steps = plan({ kind: "group", tag: "t", count: 3 }, "/image");
  const end = steps.indexOf("join_finish");
  assert.equal(steps[0], "join_begin t of 3");
  assert.equal(steps[1], "user_namespace uid 0=1000 gid 0=100");
  assert.equal(steps[end - 1], "pivot");
  assert.deepEqual(steps.slice(end + 1).map((step) => step.split(" ").slice(0, 2).join(" ")), [
    "log environment:",
    "seccomp 198",
    "chdir /d",
    "log executing:",
    "no_new_privs",
    "exec true",
  ]);
});

Deno.test("planRun() enters a process' container and builds none", () => {
  assert.deepEqual(plan({ kind: "process", pid: 5 }, "/proc/5/root"), [
    "join_pid 5",
    "log environment: A=process",
    "seccomp 198 instructions",
    "chdir /d",
    "log executing: true",
    "no_new_privs",
    "exec true (search /usr/bin:/bin, 5 variables)",
  ]);
});
