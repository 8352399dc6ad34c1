import assert from "node:assert/strict";
import type { Step } from "../../../ffi/plan.ts";
import { type BuildRun, planBuildRun } from "../../../lib/container/build_plan.ts";
import { formatPlan } from "../../../lib/container/format_plan.ts";
import { fakeHost } from "./fake_host.ts";

const RUN: BuildRun = {
  imageDir: "/storage/img/x",
  changes: { upper: "/storage/u", work: "/storage/w" },
  argv: ["/bin/sh", "-c", "make"],
  environment: ["PATH=/usr/bin", "TMPDIR=/evil", "HOME=/home/alice"],
  cwd: "/src",
  binds: [{ source: "/data", target: "/mnt/0" }],
  seccomp: true,
  mounts: [],
  noNetwork: false,
  program: "ch-run",
  verbosity: 0,
};

function plan(run: Partial<BuildRun> = {}, files: Parameters<typeof fakeHost>[0] = {}) {
  return planBuildRun({ ...RUN, ...run }, fakeHost({ files: { "/sys": null }, ...files }));
}

const lines = (run: Partial<BuildRun> = {}) => formatPlan(plan(run)).trimEnd().split("\n");

Deno.test("planBuildRun() is root in an overlay, with the host's /tmp", () => {
  const all = lines();
  const isOptional = (line: string) => line.endsWith(" skip");
  assert.deepEqual(all.filter((line) => !isOptional(line)), [
    "supervise",
    "user_namespace uid 0=1000 gid 0=100",
    "user_namespace uid 0=0 gid 0=0 mounts",
    "scratch /sys",
    "root /storage/img/x",
    "overlay upper=/storage/u work=/storage/w",
    "bind /dev at /dev fail",
    "bind /proc at /proc fail",
    "bind /sys at /sys fail",
    "bind /tmp at /tmp fail",
    "bind /data at /mnt/0 make",
    "pivot",
    "seccomp 198 instructions",
    "chdir /src",
    "no_new_privs",
    "exec /bin/sh -c make (search /usr/bin:/bin, 4 variables)",
  ]);
  assert.ok(all.includes("bind /etc/resolv.conf at /etc/resolv.conf skip"));
});

Deno.test("planBuildRun() can do without overlay and seccomp", () => {
  const all = lines({ changes: "in-place", seccomp: false });
  assert.ok(!all.some((line) => /^(overlay|seccomp)/.test(line)));
  assert.ok(all.includes("root /storage/img/x"));
});

Deno.test("planBuildRun() hands the build's variables on, TMPDIR too", () => {
  const environment = (files: Record<string, null>) =>
    (plan({}, { files: { "/sys": null, ...files } }).steps.at(-1) as Step & { op: "exec" }).env;
  assert.deepEqual(environment({}), [
    "PATH=/usr/bin:/bin",
    "TMPDIR=/evil",
    "HOME=/",
    "CH_RUNNING=Weird Al Yankovic",
  ]);
  assert.ok(environment({ "/storage/img/x/root": null }).includes("HOME=/root"));
});
