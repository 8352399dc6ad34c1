import assert from "node:assert/strict";
import { formatPlan } from "../../../lib/container/format_plan.ts";
import { listTrials } from "../../../lib/container/trials.ts";
import { fakeHost } from "./fake_host.ts";

Deno.test("listTrials() tries each thing on the host's root and executes nothing", () => {
  const trials = listTrials("ch-checkns", fakeHost({ files: { "/sys": null } }));
  const shown = trials.map(({ name, plan }) => [
    name,
    formatPlan(plan).trimEnd().split("\n").filter((line) => !line.startsWith("user_namespace")),
  ]);
  const root = ["scratch /sys", "root / read-only"];
  const lower = ["scratch /sys", "root /usr read-only"];
  const end = 'exec "" (search , 0 variables)';
  assert.deepEqual(shown, [
    ["namespaces", [...root, "pivot", "no_new_privs", end]],
    ["squashfs", ["squashfs /proc/self/fd/0 at /sys", "chdir /sys", end]],
    ["overlay", [...lower, "overlay size=1m", end]],
    ["tmpfs-xattrs", [...lower, "overlay size=1m xattrs", end]],
    ["seccomp", [...root, "pivot", "seccomp 198 instructions", end]],
  ]);
  for (const { plan } of trials) assert.deepEqual([plan.statusFail, plan.statusExec], [31, 0]);
});
