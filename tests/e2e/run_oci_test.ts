// ch-run-oci: by hand with a bundle as Buildah makes it, and under Buildah itself (spec other-tools §11, lines
// 12–19).

import assert from "node:assert/strict";
import { exists, expect, test, type Tree, type Workplace } from "../rig.ts";

interface Bundle {
  readonly id: string;
  readonly path: string;
  /** Runs an operation. */
  readonly op: (line: string) => ReturnType<Workplace["run"]>;
}

/** A bundle in TMPDIR, which is the test's own directory. */
function makeBundle(
  work: Workplace,
  changes: Record<string, unknown> = {},
  extra: Tree = {},
): Bundle {
  const name = `buildah${crypto.randomUUID().slice(0, 8)}`;
  const path = `${work.path}/${name}`;
  const config = {
    ociVersion: "1.0.2-dev",
    process: {
      args: ["/bin/sh", "-c", "echo hi"],
      env: ["PATH=/usr/bin:/bin", "A=x $B"],
      cwd: "/",
      user: { uid: 0, gid: 0 },
      ...changes.process as object,
    },
    root: { path: `${path}/mnt/rootfs` },
    linux: { namespaces: [{ type: "pid" }] },
    ...Object.fromEntries(Object.entries(changes).filter(([key]) => key !== "process")),
  };
  work.image(`${name}/mnt/rootfs`, extra);
  work.tree(name, { "config.json": JSON.stringify(config) });
  const op = (line: string) =>
    work.run([
      "ch-run-oci",
      ...line.split(" ").map((word) => word === "ID" ? `buildah-${name}` : word),
    ], {
      env: { TMPDIR: work.path },
    });
  return { id: `buildah-${name}`, path, op };
}

function create({ path, op }: Bundle) {
  return op(`create --bundle ${path} --pid-file ${path}/pid --no-new-keyring ID`);
}

function findSupervisor({ path }: Bundle): number | undefined {
  const pid = Number(Deno.readTextFileSync(`${path}/pid`));
  return isRunning(pid) ? pid : undefined;
}

/** One that has ended may still be there for its parent, and has no command line. */
function isRunning(pid: number): boolean {
  return exists(`/proc/${pid}`) && Deno.readTextFileSync(`/proc/${pid}/cmdline`) !== "";
}

test("ch-run-oci creates, starts and deletes a container [12-15]", async (work) => {
  const bundle = makeBundle(work, {
    process: {
      args: ["/bin/sh", "-c", "id -u; echo $PATH $A; chown 33 /hi; echo in $PWD; sleep 1000 &"],
    },
  }, { "hi": "" });
  const state = async () => JSON.parse((await bundle.op("state ID")).stdout);
  const { id, path } = bundle;
  assert.deepEqual(await state(), { ociVersion: "1.0.999", id, status: "creating", bundle: path });
  expect(await bundle.op("start ID"), {
    code: 1,
    stderr: /^error: can’t start: not created yet\n/,
  });
  expect(await create(bundle), { code: 0, stdout: "", stderr: "" });
  const pid = findSupervisor(bundle)!;
  assert.deepEqual(await state(), {
    ociVersion: "1.0.999",
    id,
    status: "created",
    pid,
    bundle: path,
  });
  expect(await create(bundle), { code: 1, stderr: "error: container already created\n" });

  // A process that it leaves behind holds nothing open, and does not live on.
  expect(await bundle.op("start ID"), {
    code: 0,
    stdout: "",
    stderr: "0\n/ch/bin:/usr/bin:/bin x $B\nin /\n",
  });
  assert(!isRunning(pid));
  assert(!exists(`${path}/pid`));
  assert.deepEqual(await state(), { ociVersion: "1.0.999", id, status: "stopped", bundle: path });
  assert.match(Deno.readTextFileSync(`${path}/environment`), /^TAR_OPTIONS=--no-same-owner$/m);
  expect(await bundle.op("kill ID SIGTERM"), { code: 0, stdout: "", stderr: "" });
  expect(await bundle.op("delete ID"), { code: 0, stdout: "", stderr: "" });
});

test("ch-run-oci fails as the command does, and leaves no supervisor [15, 19]", async (work) => {
  const bundle = makeBundle(work, { process: { args: ["/bin/sh", "-c", "exit 3"] } });
  await create(bundle);
  const pid = findSupervisor(bundle)!;
  expect(await bundle.op("start ID"), { code: 1, stderr: "error: user command failed: 3\n" });
  assert(!isRunning(pid));

  const other = makeBundle(work);
  await create(other);
  const waiting = findSupervisor(other)!;
  expect(await other.op("delete ID"), { code: 0, stderr: "" });
  assert(!isRunning(waiting) && !exists(`${other.path}/pid`));

  // A pid file that can't be written.
  const full = makeBundle(work);
  await work.must('mkdir "$1/pid.new"', [full.path]);
  expect(await create(full), { code: 1, stderr: /^error: / });
  assert.equal(await work.must("ps -eo args | grep -c '[r]un-oci supervise' || :"), "0\n");
});

test("ch-run-oci refuses what it is not for [16, 17]", async (work) => {
  const refusals: readonly (readonly [changes: Record<string, unknown>, message: string])[] = [
    [{ process: { terminal: true } }, "not supported: pseudoterminals"],
    [{ annotations: { a: "b" } }, "not supported: annotations"],
    [{ hooks: { prestart: [] } }, "not supported: hooks"],
    [
      { linux: { namespaces: [{ type: "network", path: "/x" }] } },
      "not supported: joining existing namespaces",
    ],
    [{ linux: { intelRdt: {} } }, "not supported: Intel RDT"],
  ];
  for (const [changes, message] of refusals) {
    const bundle = makeBundle(work, changes);
    await create(bundle);
    expect(await bundle.op("start ID"), { code: 1, stderr: `error: ${message}\n` });
    await bundle.op("delete ID");
  }
  const versions: readonly (readonly [version: string, code: number])[] = [
    ["1.0.0", 1],
    ["1.0.1", 0],
    ["1.1.0", 0],
    ["2.0.0", 1],
    ["none", 1],
  ];
  for (const [ociVersion, code] of versions) {
    const stderr = code === 0 ? "" : `error: unsupported OCI version: ${ociVersion}\n`;
    expect(await makeBundle(work, { ociVersion }).op("state ID"), { code, stderr });
  }
  const bundle = makeBundle(work);
  for (
    const [line, code, stderr] of [
      ["state foo", 1, /^error: cannot parse container ID: foo\n/],
      ["state buildah-buildah/../x", 1, /^error: cannot parse container ID/],
      [
        "state buildah-buildahgone",
        1,
        /^error: can’t infer bundle path; none of these exist: \S+\/buildahgone \/tmp/,
      ],
      [
        "create --bundle /x --pid-file /y ID",
        1,
        /^error: bundle argument “\/x” differs from inferred bundle/,
      ],
      [
        `create --bundle ${bundle.path} --pid-file /y ID`,
        1,
        /^error: pid_file argument “\/y” differs from/,
      ],
      [
        `create --bundle ${bundle.path} --pid-file ${bundle.path}/pid --console-socket /s ID`,
        1,
        /--console-socket not supported/,
      ],
      ["state", 2, /^usage: ch-run-oci/],
      ["--bogus", 2, /^usage: ch-run-oci/],
      ["dance ID", 2, /no such operation: dance/],
    ] as const
  ) expect(await bundle.op(line), { code, stderr });
  expect(await work.run(["ch-run-oci"]), { code: 1, stdout: "", stderr: /^usage: ch-run-oci/ });
  expect(await work.run(["ch-run-oci", "--version"]), { code: 0, stdout: /^0\.40/ });
});

const DOCKERFILE = `FROM localhost/base
ENV A="x y"
RUN id -u >/id; echo "$A" >/a; echo hi >/hi; chown 33 /hi
RUN cat /hi; (sleep 1000 &)
`;

const BUILDAH = `set -e
export XDG_RUNTIME_DIR=$PWD/run TMPDIR=$PWD/tmp; mkdir -p "$XDG_RUNTIME_DIR" "$TMPDIR"
b() { buildah --storage-driver vfs --root "$PWD/r" --runroot "$PWD/rr" "$@"; }
bud() { b bud --isolation=rootless --network=host --pull-never --runtime="$(command -v ch-run-oci)" "$@" </dev/null; }
`;

test(
  "Buildah builds with ch-run-oci as its runtime [18]",
  async (work) => {
    work.image();
    work.tree("context", {
      "Dockerfile": DOCKERFILE,
      "Broken": "FROM localhost/base\nRUN exit 3\n",
    });
    const options = { limit: 300_000 };
    await work.must(
      `${BUILDAH} c=$(b from scratch); b add "$c" image / >/dev/null; b commit -q "$c" base >/dev/null`,
      [],
      options,
    );
    const built = await work.sh(`${BUILDAH} bud -t out context`, [], options);
    expect(built, { code: 0 });
    const made = await work.must(
      `${BUILDAH} b unshare sh -c 'set -e
       b() { buildah --storage-driver vfs --root "$PWD/r" --runroot "$PWD/rr" "$@"; }
       c=$(b from --pull-never out); m=$(b mount "$c"); cat "$m/id" "$m/a" "$m/hi"'`,
      [],
      options,
    );
    assert.equal(made, "0\nx y\nhi\n");
    const broken = await work.sh(`${BUILDAH} bud -f context/Broken context`, [], options);
    expect(broken, { stderr: /user command failed: 3/ });
    assert.notEqual(broken.code, 0);
    assert.equal(await work.must("ps -eo args | grep -c '[r]un-oci supervise' || :"), "0\n");
    await work.must(`${BUILDAH} b unshare rm -rf r rr run tmp`, [], options);
  },
  "buildah",
);
